import type { Rule } from '../rule.ts'

export const returnInFinally: Rule = {
  id: 'java/return-in-finally',
  languages: ['java'],
  severity: 'high',
  what: 'A return in finally drops the exception that is on its way out.',
  why: 'Whatever try or catch threw disappears: the caller gets an ordinary value and believes the work was done.',
  advice: 'Keep finally for cleaning up, and return after it.',
  match: { rule: { kind: 'finally_clause', has: { kind: 'block', has: { kind: 'return_statement' } } } },
  at: (match) =>
    match
      .children()
      .filter((part) => part.is('block'))
      .flatMap((block) => block.children())
      .filter((statement) => statement.is('return_statement')),
  examples: {
    bad: [
      'class A {\n  boolean close() {\n    try {\n      flush();\n    } finally {\n      release();\n      return true;\n    }\n  }\n}\n',
    ],
    good: [
      'class A {\n  boolean close() {\n    try {\n      flush();\n    } finally {\n      release();\n    }\n    return true;\n  }\n}\n',
    ],
  },
}
