import { descend, type Rule, SCRIPT_LANGUAGES } from '../rule.ts'
import { ASYNC_FUNCTION, FIRST_ARGUMENT } from '../typescript-shapes.ts'

export const asyncPromiseExecutor: Rule = {
  id: 'typescript/async-promise-executor',
  languages: SCRIPT_LANGUAGES,
  severity: 'high',
  what: 'The executor of this promise is async, so what it throws does not reject the promise.',
  why: 'The promise stays pending forever and whoever awaits it hangs, while the error surfaces elsewhere as an unhandled rejection.',
  advice:
    'Drop `new Promise`: an async function returns a promise already. Wrap only the callback API itself.',
  match: {
    rule: {
      kind: 'new_expression',
      all: [{ has: { field: 'constructor', kind: 'identifier', regex: '^Promise$' } }, FIRST_ARGUMENT],
    },
    constraints: {
      FIRST: {
        all: [
          ASYNC_FUNCTION,
          { not: { has: { field: 'body', kind: 'statement_block', has: { kind: 'try_statement' } } } },
        ],
      },
    },
  },
  at: (match) => descend(match, 'constructor'),
  examples: {
    bad: [
      'const ready = new Promise(async (resolve, reject) => {\n  resolve(await connect())\n})\n',
      'return new Promise(async function (resolve) { resolve(await load()) })\n',
    ],
    good: [
      'const ready = new Promise(async (resolve, reject) => {\n  try {\n    resolve(await connect())\n  } catch (error) {\n    reject(error)\n  }\n})\n',
      'const ready = new Promise((resolve) => setTimeout(resolve, 10))\n',
      'const pool = new Pool(async (resource) => { await resource.close() })\n',
    ],
  },
}
