import type { SgNode } from '@ast-grep/napi'
import { shortText } from '../java-shapes.ts'
import { descend, type Rule } from '../rule.ts'

/** Of a longer method it cannot be told. */
const MAX_BODY = 4096

const GUESSABLE =
  /\bnew (java\.util\.)?Random\(|\bMath\.random\(|\bRandomStringUtils\.random|\bThreadLocalRandom\.current\(/

function isGuessable(body: SgNode): boolean {
  const text = shortText(body, MAX_BODY)
  return GUESSABLE.test(text) && !/SecureRandom/.test(text)
}

export const randomSecret: Rule = {
  id: 'java/random-secret',
  languages: ['java'],
  severity: 'high',
  what: 'A secret is made with a generator that can be predicted.',
  why: 'From a few outputs the state of java.util.Random can be computed, and with it every token before and after.',
  advice: 'Use `SecureRandom`, or `UUID.randomUUID()`, which does.',
  match: {
    rule: {
      kind: 'method_declaration',
      all: [
        {
          has: {
            field: 'name',
            regex:
              '(?i)^(new|gen|generate|make|create|random|next|get)\\w*(token|secret|password|passwd|nonce|salt|apikey|sessionid|csrf|otp)$',
          },
        },
        { has: { field: 'body', kind: 'block' } },
      ],
    },
  },
  at: (match) => (descend(match, 'body').some(isGuessable) ? descend(match, 'name') : []),
  notInTests: true,
  examples: {
    bad: [
      'class A {\n  String newToken() {\n    return Long.toHexString(new Random().nextLong());\n  }\n}\n',
      'class A {\n  static String generatePassword() {\n    String password = RandomStringUtils.randomAlphanumeric(12);\n    return password;\n  }\n}\n',
    ],
    good: [
      'class A {\n  String newToken() {\n    byte[] bytes = new byte[32];\n    new SecureRandom().nextBytes(bytes);\n    return encode(bytes);\n  }\n}\n',
      'class A {\n  long newDelay() {\n    return new Random().nextInt(1000);\n  }\n}\n',
    ],
  },
}
