import { descend, type Rule, SCRIPT_LANGUAGES } from '../rule.ts'
import { ASYNC_FUNCTION, FIRST_ARGUMENT } from '../typescript-shapes.ts'

export const asyncInterval: Rule = {
  id: 'typescript/async-interval',
  languages: SCRIPT_LANGUAGES,
  severity: 'medium',
  what: 'setInterval does not wait for its async callback, and nothing catches what it throws.',
  why: 'One failed run is an unhandled rejection, which ends a Node process; a run slower than the interval overlaps the next.',
  advice: 'Loop with `await` and a pause after each run, and catch errors inside the loop.',
  match: {
    rule: {
      kind: 'call_expression',
      all: [{ has: { field: 'function', kind: 'identifier', regex: '^setInterval$' } }, FIRST_ARGUMENT],
    },
    constraints: {
      FIRST: {
        all: [
          ASYNC_FUNCTION,
          { not: { has: { field: 'body', kind: 'statement_block', has: { kind: 'try_statement' } } } },
          { not: { has: { field: 'body', pattern: '$_PROMISE.catch($$$)' } } },
        ],
      },
    },
  },
  at: (match) => descend(match, 'function'),
  examples: {
    bad: [
      'setInterval(async () => {\n  await publishDueJobs()\n}, 5000)\n',
      'const timer = setInterval(async () => refresh(), 1000)\n',
    ],
    good: [
      'setInterval(() => counter++, 1000)\n',
      'setInterval(async () => {\n  try {\n    await refresh()\n  } catch (error) {\n    log.error(error)\n  }\n}, 1000)\n',
      'setInterval(async () => refresh().catch(report), 1000)\n',
    ],
  },
}
