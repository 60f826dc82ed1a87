import { type Rule, SCRIPT_LANGUAGES } from '../rule.ts'
import { ARRAY_LIKE, ASYNC_FUNCTION, callsMethod, FIRST_ARGUMENT } from '../typescript-shapes.ts'

export const awaitedArray: Rule = {
  id: 'typescript/awaited-array',
  languages: SCRIPT_LANGUAGES,
  severity: 'high',
  what: '`await` on an array of promises waits for none of them.',
  why: 'The next line runs before the work is done, and failures become unhandled rejections instead of errors here.',
  advice: 'Await them together: `await Promise.all(items.map(async …))`.',
  match: {
    rule: {
      kind: 'await_expression',
      has: {
        kind: 'call_expression',
        all: [callsMethod('^map$', ARRAY_LIKE), FIRST_ARGUMENT],
      },
    },
    constraints: { FIRST: ASYNC_FUNCTION },
  },
  at: (match) => match.children().slice(0, 1),
  examples: {
    bad: [
      'await orders.map(async (order) => {\n  await ship(order)\n})\n',
      'const shipped = await this.orders.map(async order => ship(order))\n',
    ],
    good: [
      'await Promise.all(orders.map(async (order) => ship(order)))\n',
      'const parts = await stream.map(async (chunk) => parse(chunk)).toArray()\n',
      'const found = await users.map((user) => user.id)\n',
    ],
  },
}
