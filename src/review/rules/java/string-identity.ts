import type { Rule } from '../rule.ts'

export const stringIdentity: Rule = {
  id: 'java/string-identity',
  languages: ['java'],
  severity: 'high',
  what: 'The operator compares two references here, not two texts.',
  why: 'It holds for constants, which Java shares, and so in the first test; for a text that was read or put together at run time it is false.',
  advice: 'Use `"…".equals(value)`.',
  match: {
    rule: {
      kind: 'binary_expression',
      all: [
        { has: { field: 'operator', regex: '^[=!]=$' } },
        {
          any: [
            { has: { field: 'left', kind: 'string_literal' } },
            { has: { field: 'right', kind: 'string_literal' } },
          ],
        },
        { not: { has: { kind: 'null_literal' } } },
      ],
    },
  },
  fix: (node) => {
    const [left, right, operator] = ['left', 'right', 'operator'].map((field) => node.field(field))
    if (!left || !right || !operator) return undefined
    const [literal, other] = left.is('string_literal') ? [left, right] : [right, left]
    return `${operator.text() === '!=' ? '!' : ''}${literal.text()}.equals(${other.text()})`
  },
  examples: {
    bad: [
      'class A {\n  boolean isOpen(Order order) {\n    return order.getState() == "open";\n  }\n}\n',
      'class A {\n  void run(String mode) {\n    if ("dry" != mode) {\n      apply();\n    }\n  }\n}\n',
    ],
    good: [
      'class A {\n  boolean isOpen(Order order) {\n    return "open".equals(order.getState());\n  }\n}\n',
      'class A {\n  boolean isOpen(Order order) {\n    return order.getState() == State.OPEN;\n  }\n}\n',
      "class A {\n  boolean isBlank(char c) {\n    return c == ' ';\n  }\n}\n",
    ],
  },
}
