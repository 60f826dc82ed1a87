import type { Rule, Shape } from '../rule.ts'

const DIFFERENCE: Shape = {
  kind: 'cast_expression',
  all: [
    { has: { field: 'type', regex: '^int$' } },
    {
      has: {
        field: 'value',
        kind: 'parenthesized_expression',
        has: { kind: 'binary_expression', has: { field: 'operator', regex: '^-$' } },
      },
    },
  ],
}

export const truncatedComparison: Rule = {
  id: 'java/truncated-comparison',
  languages: ['java'],
  severity: 'high',
  what: 'Cutting a difference down to an int can turn its sign around, or make it 0.',
  why: 'Milliseconds 25 days apart, or doubles less than 1 apart, compare wrongly: the order is random and sort() may throw.',
  advice: 'Use `Long.compare(a, b)` or `Double.compare(a, b)`.',
  match: {
    rule: {
      kind: 'method_declaration',
      all: [
        { has: { field: 'name', regex: '^compare(To)?$' } },
        {
          has: {
            field: 'body',
            has: { kind: 'return_statement', has: { ...DIFFERENCE, pattern: '$DIFFERENCE' } },
          },
        },
      ],
    },
  },
  at: (match) => [match.getMatch('DIFFERENCE')].filter((difference) => difference !== null),
  examples: {
    bad: [
      'class A implements Comparator<Event> {\n  public int compare(Event a, Event b) {\n    return (int) (a.getTime() - b.getTime());\n  }\n}\n',
    ],
    good: [
      'class A implements Comparator<Event> {\n  public int compare(Event a, Event b) {\n    return Long.compare(a.getTime(), b.getTime());\n  }\n}\n',
      'class A {\n  int seconds(Event a, Event b) {\n    return (int) (a.getTime() - b.getTime());\n  }\n}\n',
    ],
  },
}
