import type { SgNode } from '@ast-grep/napi'
import { argumentsOf, shortText, typeNamed } from '../java-shapes.ts'
import type { Rule } from '../rule.ts'

/** Whether a double can hold the number exactly: its fraction is a multiple of 1/1024 then, as far as anybody writes. */
function isExact(literal: SgNode): boolean {
  const value = Number(shortText(literal).replace(/[dDfF_]/g, ''))
  return Number.isNaN(value) || Number.isInteger(value * 1024)
}

function inexact(creation: SgNode): SgNode[] {
  const [value, ...more] = argumentsOf(creation)
  return value?.is('decimal_floating_point_literal') && more.length === 0 && !isExact(value) ? [value] : []
}

export const decimalOfDouble: Rule = {
  id: 'java/decimal-of-double',
  languages: ['java'],
  severity: 'high',
  what: 'The number is a double first, and the BigDecimal keeps its rounding error.',
  why: '`new BigDecimal(0.1)` is 0.1000000000000000055511151231257827…: sums are off by a cent, and equals() with 0.1 is false.',
  advice: 'Give it the number as text: `new BigDecimal("0.1")`.',
  match: {
    rule: {
      kind: 'object_creation_expression',
      all: [
        { has: { field: 'type', ...typeNamed('BigDecimal') } },
        { has: { field: 'arguments', has: { kind: 'decimal_floating_point_literal' } } },
      ],
    },
  },
  at: inexact,
  fix: (literal) => `"${literal.text().replace(/[dDfF_]/g, '')}"`,
  examples: {
    bad: [
      'class A {\n  static final BigDecimal TAX = new BigDecimal(0.19);\n}\n',
      'class A {\n  BigDecimal fee = new java.math.BigDecimal(1.1d);\n}\n',
    ],
    good: [
      'class A {\n  static final BigDecimal TAX = new BigDecimal("0.19");\n}\n',
      'class A {\n  static final BigDecimal HALF = new BigDecimal(0.5);\n}\n',
      'class A {\n  BigDecimal fee(double rate) {\n    return BigDecimal.valueOf(rate);\n  }\n}\n',
    ],
  },
}
