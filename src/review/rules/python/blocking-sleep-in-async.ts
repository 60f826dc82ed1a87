import type { Rule } from '../rule.ts'

export const blockingSleepInAsync: Rule = {
  id: 'python/blocking-sleep-in-async',
  languages: ['python'],
  severity: 'high',
  what: 'time.sleep() in an async function stops the whole event loop.',
  why: 'Every other request, timer and heartbeat of this process waits too; under load that looks like an outage.',
  advice: 'Use `await asyncio.sleep(seconds)`.',
  match: {
    rule: {
      kind: 'expression_statement',
      all: [
        { has: { pattern: 'time.sleep($$$)' } },
        {
          inside: {
            kind: 'function_definition',
            has: { regex: '^async$' },
            stopBy: { any: [{ kind: 'function_definition' }, { kind: 'class_definition' }] },
          },
        },
      ],
    },
  },
  examples: {
    bad: ['async def poll():\n    while True:\n        await fetch()\n        time.sleep(5)\n'],
    good: [
      'async def poll():\n    await asyncio.sleep(5)\n',
      'def poll():\n    time.sleep(5)\n',
      'async def poll():\n    def wait():\n        time.sleep(5)\n    await asyncio.to_thread(wait)\n',
    ],
  },
}
