import { descend, type Rule } from '../rule.ts'

export const emptyErrorBranch: Rule = {
  id: 'go/empty-error-branch',
  languages: ['go'],
  severity: 'medium',
  what: 'The error is checked for and then nothing is done about it.',
  why: 'What fails here fails silently, and the code after it works on as if it had succeeded: this looks like handling that was never written.',
  advice: 'Return it or log it. If it really does not matter, say why in a comment.',
  match: {
    rule: {
      kind: 'if_statement',
      all: [
        { has: { field: 'condition', regex: '^\\w*[eE]rr\\s*!=\\s*nil$' } },
        {
          has: {
            field: 'consequence',
            kind: 'block',
            not: { any: [{ has: { kind: 'statement_list' } }, { has: { kind: 'comment' } }] },
          },
        },
        { not: { has: { field: 'alternative', pattern: '$_ELSE' } } },
      ],
    },
  },
  at: (match) => descend(match, 'condition'),
  examples: {
    bad: ['package a\n\nfunc save() {\n\terr := write()\n\tif err != nil {\n\t}\n\tdone()\n}\n'],
    good: [
      'package a\n\nfunc save() error {\n\tif err := write(); err != nil {\n\t\treturn err\n\t}\n\treturn nil\n}\n',
      'package a\n\nfunc save() {\n\tif err := write(); err != nil {\n\t\t// The cache is written again at the next start.\n\t}\n}\n',
      'package a\n\nfunc save() {\n\tif err := write(); err != nil {\n\t} else {\n\t\tdone()\n\t}\n}\n',
    ],
  },
}
