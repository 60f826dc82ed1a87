import type { Rule } from '../rule.ts'

export const returnInFinally: Rule = {
  id: 'python/return-in-finally',
  languages: ['python'],
  severity: 'high',
  what: 'A return in finally swallows the exception that is on its way out.',
  why: 'Whatever was raised disappears, SystemExit included: the caller gets an ordinary value and believes the work was done.',
  advice: 'Keep finally for cleaning up, and return after it.',
  match: { rule: { kind: 'finally_clause', has: { kind: 'block', has: { kind: 'return_statement' } } } },
  at: (match) =>
    match
      .children()
      .filter((part) => part.is('block'))
      .flatMap((block) => block.children())
      .filter((statement) => statement.is('return_statement')),
  examples: {
    bad: ['def close():\n    try:\n        flush()\n    finally:\n        release()\n        return True\n'],
    good: ['def close():\n    try:\n        flush()\n    finally:\n        release()\n    return True\n'],
  },
}
