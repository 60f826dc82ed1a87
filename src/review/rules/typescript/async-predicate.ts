import { descend, type Rule, SCRIPT_LANGUAGES } from '../rule.ts'
import { ARRAY_LIKE, ASYNC_FUNCTION, callsMethod, FIRST_ARGUMENT } from '../typescript-shapes.ts'

export const asyncPredicate: Rule = {
  id: 'typescript/async-predicate',
  languages: SCRIPT_LANGUAGES,
  severity: 'high',
  what: 'An async callback decides nothing here: it returns a promise, and a promise is always true.',
  why: 'filter keeps everything, some and every say yes, find returns the first element, whatever the callback resolves to.',
  advice:
    'Await the answers first: `const keep = await Promise.all(items.map(check))`, then filter by index.',
  match: {
    rule: {
      kind: 'call_expression',
      all: [
        callsMethod('^(filter|some|every|find|findIndex|findLast|findLastIndex)$', ARRAY_LIKE),
        FIRST_ARGUMENT,
      ],
    },
    constraints: { FIRST: ASYNC_FUNCTION },
  },
  at: (match) => descend(match, 'function', 'property'),
  examples: {
    bad: [
      'const open = orders.filter(async (order) => await isOpen(order))\n',
      'if (this.users.some(async user => hasAccess(user))) grant()\n',
    ],
    good: [
      'const open = orders.filter((order) => order.open)\n',
      'const text = readable.filter(async (chunk) => accept(chunk))\n',
      'const kept = await pFilter(orders, async (order) => isOpen(order))\n',
      'const kept = await async.filter(orders, async (order) => isOpen(order))\n',
    ],
  },
}
