import type { SgNode } from '@ast-grep/napi'
import { statementsIn } from '../python-shapes.ts'
import type { Rule } from '../rule.ts'

function isSleep(statement: SgNode): boolean {
  const call = statement.is('expression_statement') ? statement.child(0) : null
  return call?.is('call') === true && call.field('function')?.text() === 'time.sleep'
}

export const blockingSleepInAsync: Rule = {
  id: 'python/blocking-sleep-in-async',
  languages: ['python'],
  severity: 'high',
  what: 'time.sleep() in an async function stops the whole event loop.',
  why: 'Every other request, timer and heartbeat of this process waits too; under load that looks like an outage.',
  advice: 'Use `await asyncio.sleep(seconds)`.',
  match: { rule: { kind: 'function_definition' } },
  fileHas: { rule: { pattern: 'time.sleep($$$)' } },
  at: (match) => (match.child(0)?.is('async') ? statementsIn(match).filter(isSleep) : []),
  examples: {
    bad: ['async def poll():\n    while True:\n        await fetch()\n        time.sleep(5)\n'],
    good: [
      'async def poll():\n    await asyncio.sleep(5)\n',
      'def poll():\n    time.sleep(5)\n',
      'async def poll():\n    def wait():\n        time.sleep(5)\n    await asyncio.to_thread(wait)\n',
    ],
  },
}
