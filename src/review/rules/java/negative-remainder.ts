import type { SgNode } from '@ast-grep/napi'
import { argumentsOf, callsMethod } from '../java-shapes.ts'
import { descend, type Rule } from '../rule.ts'

function fixed(remainder: SgNode): string | undefined {
  const [hash] = descend(remainder, 'left').flatMap(argumentsOf)
  const divisor = remainder.field('right')
  return hash && divisor ? `Math.floorMod(${hash.text()}, ${divisor.text()})` : undefined
}

export const negativeRemainder: Rule = {
  id: 'java/negative-remainder',
  languages: ['java'],
  severity: 'high',
  what: 'Math.abs of the smallest int is that int again, and negative.',
  why: 'For one hash code in four billion the remainder is negative: an ArrayIndexOutOfBoundsException for that key alone.',
  advice: 'Use `Math.floorMod(hash, n)`.',
  match: {
    rule: {
      kind: 'binary_expression',
      all: [
        { has: { field: 'operator', regex: '^%$' } },
        {
          has: {
            field: 'left',
            all: [
              callsMethod('^abs$', { kind: 'identifier', regex: '^Math$' }),
              {
                has: {
                  field: 'arguments',
                  has: {
                    any: [
                      { pattern: '$_OBJECT.hashCode()' },
                      { pattern: 'hashCode()' },
                      { pattern: '$_RANDOM.nextInt()' },
                    ],
                  },
                },
              },
            ],
          },
        },
      ],
    },
  },
  fix: fixed,
  examples: {
    bad: [
      'class A {\n  int bucket(String key) {\n    return Math.abs(key.hashCode()) % buckets.length;\n  }\n}\n',
    ],
    good: [
      'class A {\n  int bucket(String key) {\n    return Math.floorMod(key.hashCode(), buckets.length);\n  }\n}\n',
      'class A {\n  int bucket(String key) {\n    return Math.abs(key.hashCode() % buckets.length);\n  }\n}\n',
    ],
  },
}
