import type { Rule } from '../rule.ts'

export const lateBindingLambda: Rule = {
  id: 'python/late-binding-lambda',
  languages: ['python'],
  severity: 'high',
  what: 'The lambda reads the loop variable when it is called, not when it is made.',
  why: 'By then the loop is over: every one of these functions works on the last element.',
  advice: 'Bind the value: `lambda item=item: …`, or `functools.partial(function, item)`.',
  match: {
    rule: {
      kind: 'for_statement',
      all: [
        { has: { field: 'left', kind: 'identifier', pattern: '$ITEM' } },
        {
          has: {
            field: 'body',
            has: {
              kind: 'expression_statement',
              has: {
                kind: 'call',
                all: [
                  {
                    has: {
                      field: 'function',
                      kind: 'attribute',
                      has: { field: 'attribute', regex: '^append$' },
                    },
                  },
                  {
                    has: {
                      field: 'arguments',
                      has: {
                        kind: 'lambda',
                        pattern: '$LAMBDA',
                        all: [
                          { not: { has: { field: 'parameters', kind: 'lambda_parameters' } } },
                          { has: { kind: 'identifier', pattern: '$ITEM', stopBy: 'end' } },
                        ],
                      },
                    },
                  },
                ],
              },
            },
          },
        },
      ],
    },
  },
  at: (match) => [match.getMatch('LAMBDA')].filter((lambda) => lambda !== null),
  examples: {
    bad: ['for order in orders:\n    callbacks.append(lambda: ship(order))\n'],
    good: [
      'for order in orders:\n    callbacks.append(lambda order=order: ship(order))\n',
      'for order in orders:\n    callbacks.append(lambda: refresh())\n',
      'for order in orders:\n    order.on_paid(lambda: ship())\n',
    ],
  },
}
