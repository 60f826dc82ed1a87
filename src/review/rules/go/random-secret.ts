import { FUNCTION, imports } from '../go-shapes.ts'
import type { Rule } from '../rule.ts'

export const randomSecret: Rule = {
  id: 'go/random-secret',
  languages: ['go'],
  severity: 'high',
  what: 'A secret is made with math/rand.',
  why: 'Its generator is not cryptographic, and seeded with the time it has few states: whoever knows about when a token was made can compute it.',
  advice: 'Use `crypto/rand`: `rand.Text()` (Go 1.24), or `rand.Read(bytes)`.',
  match: {
    rule: {
      all: [
        FUNCTION,
        {
          has: {
            field: 'name',
            regex:
              '(?i)^(new|gen|generate|make|create|rand|random)_?\\w*(token|secret|password|passwd|nonce|salt|apikey|sessionid|csrf|otp)|^(token|secret|password|nonce|salt)Generator',
          },
        },
        {
          has: {
            field: 'body',
            has: {
              pattern: '$CALL',
              kind: 'call_expression',
              regex: '^rand\\.(Intn?|Int31n?|Int63n?|Uint32|Uint64|Read|Perm)\\(',
              stopBy: 'end',
            },
          },
        },
      ],
    },
  },
  fileHas: { rule: imports('math/rand') },
  at: (match) => [match.getMatch('CALL')].filter((call) => call !== null),
  notInTests: true,
  examples: {
    bad: [
      'package a\n\nimport "math/rand"\n\nfunc newToken() string {\n\tbytes := make([]byte, 32)\n\trand.Read(bytes)\n\treturn hex.EncodeToString(bytes)\n}\n',
      'package a\n\nimport (\n\t"math/rand"\n)\n\nfunc generatePassword(n int) string {\n\tvar b strings.Builder\n\tfor i := 0; i < n; i++ {\n\t\tb.WriteByte(LETTERS[rand.Intn(len(LETTERS))])\n\t}\n\treturn b.String()\n}\n',
    ],
    good: [
      'package a\n\nimport "crypto/rand"\n\nfunc newToken() string {\n\tbytes := make([]byte, 32)\n\trand.Read(bytes)\n\treturn hex.EncodeToString(bytes)\n}\n',
      'package a\n\nimport "math/rand"\n\nfunc newDelay() int {\n\treturn rand.Intn(1000)\n}\n',
      'package a\n\nimport (\n\t"crypto/rand"\n\tmrand "math/rand"\n)\n\nfunc newToken() {\n\trand.Read(bytes)\n}\n',
    ],
  },
}
