import type { SgNode } from '@ast-grep/napi'
import { calledName, callOf, shortText, statementsIn, statementsOf } from '../go-shapes.ts'
import type { Rule } from '../rule.ts'

/** Of a longer statement between the two it cannot be told whether it unlocks. */
const MAX_STATEMENT = 4096

const UNLOCK = { Lock: 'Unlock', RLock: 'RUnlock' } as const

/** The returns between a lock and the unlocking beside it, in statements that do not unlock. */
function lockedReturns(list: SgNode): SgNode[] {
  const statements = statementsOf(list)
  const names = statements.map((statement) =>
    statement.is('expression_statement') ? calledName(callOf(statement)) : '',
  )
  return names.flatMap((name, index) => {
    const [, lock, kind] = /^([\w.]+)\.(R?Lock)$/.exec(name) ?? []
    if (!lock || !kind) return []
    const unlock = `${lock}.${UNLOCK[kind as keyof typeof UNLOCK]}`
    const unlocked = names.indexOf(unlock, index + 1)
    const again = names.indexOf(name, index + 1)
    if (unlocked < 0 || (again >= 0 && again < unlocked)) return []
    const between = statements.slice(index + 1, unlocked)
    if (between.some((statement) => !shortText(statement, MAX_STATEMENT))) return []
    if (between.some((statement) => shortText(statement, MAX_STATEMENT).includes(unlock))) return []
    return between.flatMap((statement) =>
      [statement, ...statementsIn(statement)].filter((inner) => inner.is('return_statement')),
    )
  })
}

export const returnWhileLocked: Rule = {
  id: 'go/return-while-locked',
  languages: ['go'],
  severity: 'critical',
  what: 'This returns with the lock still held: it is unlocked only further down.',
  why: 'The next goroutine that wants the lock waits forever, and after it everything that waits for that one.',
  advice: 'Unlock before this return too, or `defer` the unlocking right after the lock is taken.',
  match: { rule: { kind: 'statement_list' } },
  at: lockedReturns,
  examples: {
    bad: [
      'package a\n\nfunc (c *Cache) Put(key string, value int) error {\n\tc.mu.Lock()\n\tif c.closed {\n\t\treturn errClosed\n\t}\n\tc.values[key] = value\n\tc.mu.Unlock()\n\treturn nil\n}\n',
      'package a\n\nfunc (c *Cache) Get(key string) int {\n\tc.mu.RLock()\n\tfor _, entry := range c.entries {\n\t\tif entry.key == key {\n\t\t\treturn entry.value\n\t\t}\n\t}\n\tc.mu.RUnlock()\n\treturn 0\n}\n',
    ],
    good: [
      'package a\n\nfunc (c *Cache) Put(key string, value int) error {\n\tc.mu.Lock()\n\tdefer c.mu.Unlock()\n\tif c.closed {\n\t\treturn errClosed\n\t}\n\treturn nil\n}\n',
      'package a\n\nfunc (c *Cache) Put(key string, value int) error {\n\tc.mu.Lock()\n\tif c.closed {\n\t\tc.mu.Unlock()\n\t\treturn errClosed\n\t}\n\tc.values[key] = value\n\tc.mu.Unlock()\n\treturn nil\n}\n',
      'package a\n\nfunc (c *Cache) Put(key string) {\n\tc.mu.Lock()\n\tc.update(func() int {\n\t\treturn 1\n\t})\n\tc.mu.Unlock()\n}\n',
    ],
  },
}
