import type { SgNode } from '@ast-grep/napi'
import { shortText, statementsOf } from '../java-shapes.ts'
import type { Rule } from '../rule.ts'

/** Statements between the two that are longer than this are calls somewhere. */
const MAX_STATEMENT = 2000

/** `lock.lock()` as `lock.lock`; empty for any other statement. */
function called(statement: SgNode): string {
  const call = statement.is('expression_statement') ? statement.child(0) : null
  if (!call?.is('method_invocation')) return ''
  return /^([\w.]+\(?\)?\.\w+)\(\);$/.exec(shortText(statement))?.[1] ?? ''
}

/** Whether it may leave the block between lock and unlock. Waking others up throws nothing while the lock is held. */
function mayLeave(statement: SgNode): boolean {
  const text = shortText(statement, MAX_STATEMENT)
  return text === '' || /\breturn\b|\bthrow\b|\w\(/.test(text.replace(/\b\w+\.(signal|signalAll)\(\)/g, ''))
}

function unprotected(block: SgNode): SgNode[] {
  const statements = statementsOf(block)
  const calls = statements.map(called)
  return statements.filter((_, index) => {
    const [, lock] = /^(.*[lL]ock.*)\.lock$/.exec(calls[index] ?? '') ?? []
    const unlocked = lock ? calls.indexOf(`${lock}.unlock`, index + 1) : -1
    return unlocked >= 0 && statements.slice(index + 1, unlocked).some(mayLeave)
  })
}

export const unlockOutsideFinally: Rule = {
  id: 'java/unlock-outside-finally',
  languages: ['java'],
  severity: 'high',
  what: 'An exception between here and unlock() leaves the lock held.',
  why: 'The thread goes on, or dies, without unlocking: from then on every other thread that wants the lock waits forever.',
  advice: 'Right after lock(), `try { … } finally { lock.unlock(); }`.',
  match: {
    rule: {
      kind: 'block',
      has: { kind: 'expression_statement', regex: '\\.lock\\(\\);$', has: { kind: 'method_invocation' } },
    },
  },
  at: unprotected,
  examples: {
    bad: [
      'class A {\n  void put(String key) {\n    lock.lock();\n    entries.add(parse(key));\n    lock.unlock();\n  }\n}\n',
    ],
    good: [
      'class A {\n  void put(String key) {\n    lock.lock();\n    try {\n      entries.add(parse(key));\n    } finally {\n      lock.unlock();\n    }\n  }\n}\n',
      'class A {\n  void count() {\n    lock.lock();\n    count++;\n    changed.signalAll();\n    lock.unlock();\n  }\n}\n',
    ],
  },
}
