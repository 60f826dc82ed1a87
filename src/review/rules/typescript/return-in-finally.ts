import { type Rule, SCRIPT_LANGUAGES } from '../rule.ts'

export const returnInFinally: Rule = {
  id: 'typescript/return-in-finally',
  languages: SCRIPT_LANGUAGES,
  severity: 'high',
  what: 'A return in finally replaces the error that is on its way out.',
  why: 'Whatever try or catch threw disappears: the caller gets an ordinary value and believes the work was done.',
  advice: 'Keep finally for cleaning up, and return after it.',
  match: {
    rule: {
      kind: 'finally_clause',
      has: { field: 'body', kind: 'statement_block', has: { kind: 'return_statement' } },
    },
  },
  at: (match) =>
    match
      .field('body')
      ?.children()
      .filter((statement) => statement.is('return_statement')) ?? [],
  examples: {
    bad: [
      'function close() {\n  try {\n    flush()\n  } finally {\n    release()\n    return true\n  }\n}\n',
      'async function load() { try { return await read() } finally { return undefined } }\n',
    ],
    good: [
      'function close() {\n  try {\n    flush()\n  } finally {\n    release()\n  }\n  return true\n}\n',
      'try { flush() } finally { entries.forEach((entry) => { return entry.close() }) }\n',
    ],
  },
}
