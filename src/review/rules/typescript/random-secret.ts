import { descend, type Rule, SCRIPT_LANGUAGES } from '../rule.ts'

const SECRET_NAME =
  '(?i)(token|secret|password|passcode|otp|nonce|apikey|api_key|session_?id|csrf|resetcode|reset_code)$'

export const randomSecret: Rule = {
  id: 'typescript/random-secret',
  languages: SCRIPT_LANGUAGES,
  severity: 'high',
  what: 'A secret is made with Math.random().',
  why: 'Its generator is not cryptographic: from a few outputs its state can be computed, and with it every token before and after.',
  advice: "Use `randomBytes(32).toString('base64url')` or `randomUUID()` from `node:crypto`.",
  match: {
    rule: {
      kind: 'variable_declarator',
      all: [
        { has: { field: 'name', kind: 'identifier', regex: SECRET_NAME } },
        {
          has: {
            field: 'value',
            any: [
              { pattern: 'Math.random().toString($$$)' },
              { pattern: 'Math.random().toString($$$).$_CUT($$$)' },
              { pattern: 'Math.floor(Math.random() * $$$).toString($$$)' },
              { pattern: 'String(Math.floor(Math.random() * $$$))' },
            ],
          },
        },
      ],
    },
  },
  at: (match) => descend(match, 'value'),
  notInTests: true,
  examples: {
    bad: [
      'const resetToken = Math.random().toString(36).slice(2)\n',
      'let sessionId = Math.random().toString(36)\n',
    ],
    good: [
      'const delay = Math.random() * 1000\n',
      'const elementId = Math.random().toString(36).slice(2)\n',
      "const resetToken = randomBytes(32).toString('base64url')\n",
    ],
  },
}
