import { type Rule, SCRIPT_LANGUAGES } from '../rule.ts'

export const tlsVerificationOff: Rule = {
  id: 'typescript/tls-verification-off',
  languages: SCRIPT_LANGUAGES,
  severity: 'high',
  what: 'The certificate of the other side is not checked.',
  why: 'Anyone on the path can pose as the server, read what is sent (passwords included) and change what comes back.',
  advice:
    'Pass the certificate authority (`ca: readFileSync(…)`, `NODE_EXTRA_CA_CERTS`) instead of switching the check off.',
  match: {
    rule: {
      any: [
        {
          kind: 'pair',
          all: [
            { has: { field: 'key', kind: 'property_identifier', regex: '^rejectUnauthorized$' } },
            { has: { field: 'value', kind: 'false' } },
          ],
        },
        { pattern: "process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'" },
        { pattern: 'process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0"' },
        { pattern: 'process.env.NODE_TLS_REJECT_UNAUTHORIZED = 0' },
      ],
    },
  },
  notInTests: true,
  examples: {
    bad: [
      'const pool = new Pool({ ssl: { rejectUnauthorized: false } })\n',
      "process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'\n",
    ],
    good: [
      'const pool = new Pool({ ssl: { rejectUnauthorized: true, ca } })\n',
      'const pool = new Pool({ ssl: { rejectUnauthorized: !local } })\n',
    ],
  },
}
