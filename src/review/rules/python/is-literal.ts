import type { Rule } from '../rule.ts'

const LITERAL = { any: [{ kind: 'string' }, { kind: 'integer' }, { kind: 'float' }] }

export const isLiteral: Rule = {
  id: 'python/is-literal',
  languages: ['python'],
  severity: 'high',
  what: '`is` compares identity, not value.',
  why: 'It seems to work because CPython shares small integers and short strings, and turns false for a value read from a request or a database.',
  advice: 'Use `==` or `!=`.',
  match: {
    rule: {
      kind: 'comparison_operator',
      all: [
        { has: { ...LITERAL, nthChild: 2 } },
        { not: { has: { nthChild: 3, pattern: '$_THIRD' } } },
        { has: { field: 'operators', regex: '^is( not)?$' } },
      ],
    },
  },
  fix: (node) => {
    const [left, operator, right] = node.children()
    if (!left || !operator || !right) return undefined
    return `${left.text()} ${operator.text() === 'is' ? '==' : '!='} ${right.text()}`
  },
  examples: {
    bad: [
      'if status is "paid":\n    ship()\n',
      'retry = attempts is not 3\n',
      'if code is 200 and ready:\n    go()\n',
    ],
    good: [
      'if status == "paid":\n    ship()\n',
      'if status is None:\n    wait()\n',
      'if flag is True:\n    go()\n',
      'if kind is Kind.PAID:\n    ship()\n',
    ],
  },
}
