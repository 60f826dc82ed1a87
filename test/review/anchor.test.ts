import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { touchedLines } from '../../src/forges/change.ts'
import { anchorQuote } from '../../src/review/model/anchor.ts'
import { markedFile } from '../support/marked-change.ts'

const pay = markedFile(
  'pay.ts',
  `.import { card } from './card.ts'
.
.export function refund(amount: number) {
.  return card.charge(-amount)
.}
.
 export function pay(amount: number) {
-  return card.charge(amount)
+  const result = card.charge(amount)
+
+  log(result)
+  return card.charge(amount)
 }
.
.export function payAgain(amount: number) {
.  return card.charge(amount)
.}`,
)

const anchor = (quote: string, { file, text } = pay) => anchorQuote(quote, file, text)

test('a whole line is found', () => {
  assert.deepEqual(anchor('  log(result)'), { line: 10, endLine: 10, exact: true })
})

test('indentation, spacing and line ends do not matter', () => {
  assert.deepEqual(anchor('const   result =\tcard.charge(amount)\r\n\n\nlog(result)\r\n'), {
    line: 8,
    endLine: 10,
    exact: true,
  })
})

test('a piece of a line is found, and is not exact', () => {
  assert.deepEqual(anchor('const result'), { line: 8, endLine: 8, exact: false })
})

test('pieces at both ends of a quote are found', () => {
  assert.deepEqual(anchor('= card.charge(amount)\nlog(result)\nreturn card'), {
    line: 8,
    endLine: 11,
    exact: false,
  })
})

test('of two equal lines the touched one is meant', () => {
  assert.deepEqual(anchor('return card.charge(amount)'), { line: 11, endLine: 11, exact: true })
})

test('a line that the change did not touch is no anchor', () => {
  assert.equal(anchor('return card.charge(-amount)'), 'unchanged')
  assert.equal(anchor('export function pay(amount: number) {'), 'unchanged')
})

test('code that is nowhere, removed code, and nothing at all are no anchor', () => {
  assert.equal(anchor('charge(card, amount)'), 'absent')
  assert.equal(anchor('log(result)\nreturn card.charge(-amount)'), 'absent')
  assert.equal(anchor(' \n '), 'absent')
})

test('a piece too short to mean one line is no anchor', () => {
  assert.equal(anchor('log'), 'absent')
})

test('a quote that runs from one hunk into unshown lines is found in the file', () => {
  assert.deepEqual(anchor('  return card.charge(amount)\n}\n\nexport function payAgain(amount: number) {'), {
    line: 11,
    endLine: 14,
    exact: false,
  })
})

test('the margin of the listing, copied along, is forgiven', () => {
  assert.deepEqual(anchor('    8 +   const result = card.charge(amount)\n    9 +\n   10 +   log(result)'), {
    line: 8,
    endLine: 10,
    exact: false,
  })
})

const word = fc.constantFrom('a', 'b', 'if (a) {', '}', 'return a + b', '', '  x = y', '+ 1')
const markedLine = fc.tuple(fc.constantFrom('+', '-', ' ', '.'), word).map(([mark, text]) => mark + text)
const markedText = fc.array(markedLine, { minLength: 1, maxLength: 30 }).map((lines) => lines.join('\n'))

test('an anchor always holds a touched line of the file, whatever is quoted', () => {
  const quote = fc.array(fc.oneof(word, fc.string()), { maxLength: 4 }).map((lines) => lines.join('\n'))
  fc.assert(
    fc.property(markedText, quote, (marked, quoted) => {
      const { file, text } = markedFile('a.ts', marked)
      const found = anchorQuote(quoted, file, text)
      if (typeof found === 'string') return
      assert.ok(found.line >= 1 && found.line <= found.endLine && found.endLine <= text.split('\n').length)
      assert.ok([...touchedLines(file)].some((line) => line >= found.line && line <= found.endLine))
    }),
    { numRuns: 2_000 },
  )
})

test('every touched line, quoted whole, is anchored at lines that read the same', () => {
  fc.assert(
    fc.property(markedText, fc.nat(), (marked, pick) => {
      const { file, text } = markedFile('a.ts', marked)
      const lines = text.split('\n')
      const touched = [...touchedLines(file)].filter((line) => lines[line - 1]?.trim())
      const line = touched[pick % touched.length]
      if (line === undefined) return
      const found = anchorQuote(lines[line - 1] ?? '', file, text)
      assert.ok(typeof found === 'object', String(found))
      assert.equal(lines[found.line - 1]?.trim(), lines[line - 1]?.trim())
      assert.equal(found.exact, true)
    }),
    { numRuns: 2_000 },
  )
})

test('a huge quote of a huge file does not take long', { timeout: 10_000 }, () => {
  const huge = markedFile('a.ts', Array.from({ length: 20_000 }, () => '+x').join('\n'))
  assert.equal(anchor(`${'x\n'.repeat(10_000)}y`, huge), 'absent')
})
