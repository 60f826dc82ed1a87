import { F_STRING } from '../python-shapes.ts'
import type { Rule } from '../rule.ts'

export const evalOfExpression: Rule = {
  id: 'python/eval-of-expression',
  languages: ['python'],
  severity: 'high',
  what: 'Text that is made at run time is run as code.',
  why: 'Whoever can influence that text runs code with the rights of this process: its secrets, its database, its network.',
  advice: 'Use `ast.literal_eval` for data, `json.loads` for JSON, or look the operation up in a dictionary.',
  match: {
    rule: { any: [{ pattern: 'eval($CODE)' }, { pattern: 'exec($CODE)' }] },
    constraints: {
      CODE: {
        any: [
          { kind: 'identifier' },
          { kind: 'attribute' },
          { kind: 'subscript' },
          { kind: 'call', not: { pattern: 'compile($$$)' } },
          F_STRING,
        ],
      },
    },
  },
  notInTests: true,
  examples: {
    bad: ['total = eval(formula)\n', 'exec(request.form["code"])\n', 'limit = eval(f"{a} + {b}")\n'],
    good: [
      'total = ast.literal_eval(formula)\n',
      'model.eval()\n',
      'four = eval("2 + 2")\n',
      'frame.eval(formula)\n',
    ],
  },
}
