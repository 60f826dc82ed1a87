import type { SgNode } from '@ast-grep/napi'
import type { Rule } from '../rule.ts'

/** Of the tuple that is the condition; the message may be one too. */
function partsOfTuple(assertion: SgNode): SgNode[] {
  const condition = assertion.child(1)
  return condition?.is('tuple') ? condition.children().filter((part) => part.isNamed()) : []
}

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
      has: { kind: 'tuple', has: { pattern: '$_PART' } },
    },
  },
  at: (match) => (partsOfTuple(match).length > 0 ? [match] : []),
  fix: (node) => {
    const parts = partsOfTuple(node)
    const [condition, message] = parts
    const simple = parts.length === 2 && message?.is('string') && !node.text().includes('\n')
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
