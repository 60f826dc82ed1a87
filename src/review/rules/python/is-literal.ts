import type { Rule } from '../rule.ts'

export const isLiteral: Rule = {
  id: 'python/is-literal',
  languages: ['python'],
  severity: 'high',
  what: '`is` compares identity, not value.',
  why: 'It seems to work because CPython shares small integers and short strings, and turns false for a value read from a request or a database.',
  advice: 'Use `==` or `!=`.',
  match: {
    rule: {
      any: [{ pattern: '$_VALUE is $LITERAL' }, { pattern: '$_VALUE is not $LITERAL' }],
    },
    constraints: { LITERAL: { any: [{ kind: 'string' }, { kind: 'integer' }, { kind: 'float' }] } },
  },
  // The patterns match the beginning of a chain (`a is 1 is b`) too.
  at: (match) => (match.children().length === 3 ? [match] : []),
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
      'same = first is 1 is second\n',
      'if kind is Kind.PAID:\n    ship()\n',
    ],
  },
}
