import { type Rule, SCRIPT_LANGUAGES, type Shape } from '../rule.ts'

const NAME = '(?i)(signature|hmac|digest)$'
const SIGNATURE: Shape = {
  any: [
    { kind: 'identifier', regex: NAME },
    { kind: 'member_expression', has: { field: 'property', regex: NAME } },
    { pattern: '$_HMAC.digest($$$)' },
  ],
}
const EXPECTED: Shape = {
  any: [
    SIGNATURE,
    { kind: 'identifier', regex: '(?i)^(expected|computed|actual|received|provided|header)' },
    { kind: 'subscript_expression', has: { field: 'object', pattern: '$_REQUEST.headers' } },
  ],
}

export const timingUnsafeComparison: Rule = {
  id: 'typescript/timing-unsafe-comparison',
  languages: SCRIPT_LANGUAGES,
  severity: 'medium',
  what: 'A signature is compared with an operator that stops at the first difference.',
  why: 'How long the comparison takes tells how many characters were right, so a valid signature can be guessed one by one.',
  advice: 'Compare with `timingSafeEqual` from `node:crypto`, on buffers of equal length.',
  match: {
    rule: {
      any: ['===', '!==', '==', '!='].map((operator) => ({ pattern: `$LEFT ${operator} $RIGHT` })),
      has: SIGNATURE,
    },
    constraints: { LEFT: EXPECTED, RIGHT: EXPECTED },
  },
  fileHas: { rule: { kind: 'identifier', regex: '^createHmac$' } },
  notInTests: true,
  examples: {
    bad: [
      "import { createHmac } from 'node:crypto'\nconst expected = createHmac('sha256', key).update(body).digest('hex')\nif (signature !== expected) reject()\n",
      "import { createHmac } from 'node:crypto'\nif (createHmac('sha256', key).update(body).digest('hex') === req.headers['x-signature']) accept()\n",
    ],
    good: [
      "import { createHmac, timingSafeEqual } from 'node:crypto'\nif (signature === undefined || signature.length !== 64) reject()\n",
      'if (expected === signature) render()\n',
      "import { createHmac } from 'node:crypto'\nif (version === expectedVersion) continueWith(createHmac('sha256', key))\n",
    ],
  },
}
