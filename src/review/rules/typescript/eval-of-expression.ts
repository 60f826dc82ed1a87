import { type Rule, SCRIPT_LANGUAGES } from '../rule.ts'

const NOT_LITERAL = {
  any: [
    { kind: 'identifier' },
    { kind: 'member_expression' },
    { kind: 'subscript_expression' },
    { kind: 'call_expression' },
    { kind: 'binary_expression' },
    { kind: 'template_string', has: { kind: 'template_substitution' } },
  ],
}

export const evalOfExpression: Rule = {
  id: 'typescript/eval-of-expression',
  languages: SCRIPT_LANGUAGES,
  severity: 'high',
  what: 'Text that is made at run time is run as code.',
  why: 'Whoever can influence that text runs code with the rights of this process: its secrets, its database, its network.',
  advice: 'Parse the input (`JSON.parse`, a parser for its grammar) or look the operation up in a table.',
  match: {
    rule: {
      any: [
        { pattern: 'eval($CODE)' },
        { pattern: 'new Function($CODE)' },
        { pattern: 'new Function($_PARAMETERS, $CODE)' },
      ],
    },
    constraints: { CODE: NOT_LITERAL },
  },
  notInTests: true,
  examples: {
    bad: ['const total = eval(formula)\n', "const rule = new Function('order', settings.rule)\n"],
    good: [
      "const self = eval('this')\n",
      'const total = evaluate(formula)\n',
      "const global = new Function('return this')()\n",
    ],
  },
}
