import type { Rule } from '../rule.ts'

export const assertTuple: Rule = {
  id: 'python/assert-tuple',
  languages: ['python'],
  severity: 'high',
  what: 'This assertion never fails: it asserts a tuple, and a tuple with something in it is true.',
  why: 'The check that somebody relied on has never been made, and no test can notice.',
  advice: 'Drop the parentheses: `assert condition, "message"`.',
  match: {
    rule: {
      kind: 'assert_statement',
      has: { kind: 'tuple', nthChild: 1, has: { nthChild: 1, pattern: '$_FIRST' } },
    },
  },
  fix: (node) => {
    const parts = node
      .child(1)
      ?.children()
      .filter((part) => part.isNamed())
    const [condition, message] = parts ?? []
    const simple = parts?.length === 2 && message?.is('string') && !node.text().includes('\n')
    return simple ? `assert ${condition?.text()}, ${message.text()}` : undefined
  },
  examples: {
    bad: [
      'assert (total > 0, "an order costs something")\n',
      'def check(a, b):\n    assert (a == b, f"{a} is not {b}")\n',
    ],
    good: [
      'assert total > 0, (order_id, total)\n',
      'assert total > 0, "an order costs something"\n',
      'assert (\n    total > 0\n), "an order costs something"\n',
    ],
  },
}
