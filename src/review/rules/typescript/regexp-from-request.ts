// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the examples are source text.
import { type Rule, SCRIPT_LANGUAGES, type Shape } from '../rule.ts'

const FROM_REQUEST: Shape = {
  any: ['query', 'params', 'body'].flatMap((part) =>
    ['req', 'request', 'ctx'].flatMap((request) => [
      { pattern: `${request}.${part}.$_FIELD` },
      { pattern: `${request}.${part}[$_FIELD]` },
    ]),
  ),
}
const INSERTED: Shape = { kind: 'template_substitution', has: FROM_REQUEST }

export const regexpFromRequest: Rule = {
  id: 'typescript/regexp-from-request',
  languages: SCRIPT_LANGUAGES,
  severity: 'high',
  what: 'A regular expression is compiled from what a client sent.',
  why: 'Backtracking on a pattern such as `(a+)+$` blocks the event loop for minutes: one request stops every other one.',
  advice:
    'Compare with `includes()`, escape the text before compiling it, or match with a linear-time engine.',
  match: {
    rule: {
      any: [
        'new RegExp($PATTERN)',
        'new RegExp($PATTERN, $_FLAGS)',
        'RegExp($PATTERN)',
        'RegExp($PATTERN, $_FLAGS)',
      ].map((pattern) => ({ pattern })),
    },
    constraints: { PATTERN: { any: [FROM_REQUEST, { kind: 'template_string', has: INSERTED }] } },
  },
  at: (match) => [match.getMatch('PATTERN')].filter((pattern) => pattern !== null),
  notInTests: true,
  examples: {
    bad: [
      "const wanted = new RegExp(req.query.name, 'i')\n",
      'const wanted = new RegExp(`^${request.params.prefix}`)\n',
      "const wanted = RegExp(req.body['pattern'])\n",
    ],
    good: [
      'const wanted = new RegExp(escape(req.query.name))\n',
      "const wanted = new RegExp('^[a-z]+$')\n",
      'const wanted = new RegExp(`^${prefix}`)\n',
    ],
  },
}
