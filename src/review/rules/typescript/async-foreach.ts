import { descend, type Rule, SCRIPT_LANGUAGES } from '../rule.ts'
import { ARRAY_LIKE, ASYNC_FUNCTION, callsMethod, FIRST_ARGUMENT } from '../typescript-shapes.ts'

export const asyncForeach: Rule = {
  id: 'typescript/async-foreach',
  languages: SCRIPT_LANGUAGES,
  severity: 'high',
  what: 'forEach does not wait for its async callback.',
  why: 'The code after the loop runs before the work is done, and a rejection inside has nobody to catch it: Node ends the process over it.',
  advice:
    'Use `for (const item of items) { await … }`, or `await Promise.all(items.map(async …))` where order does not matter.',
  match: {
    rule: {
      kind: 'call_expression',
      all: [callsMethod('^forEach$', ARRAY_LIKE), FIRST_ARGUMENT],
    },
    constraints: { FIRST: ASYNC_FUNCTION },
  },
  at: (match) => descend(match, 'function', 'property'),
  examples: {
    bad: [
      'orders.forEach(async (order) => {\n  await charge(order)\n})\n',
      'await Promise.all(this.orders.forEach(async order => charge(order)))\n',
      'Object.keys(orders).forEach(async function (id) { await charge(orders[id]) })\n',
    ],
    good: [
      'for (const order of orders) await charge(order)\n',
      'orders.forEach((order) => total += order.amount)\n',
      'await Promise.all(orders.map(async (order) => charge(order)))\n',
      'await stream.forEach(async (chunk) => { await write(chunk) })\n',
    ],
  },
}
