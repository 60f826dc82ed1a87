import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { positionIn, rightHunks } from '../../../src/forges/github/diff-positions.ts'

const PATCH = `@@ -1,3 +1,4 @@
 one
+@@ -9 +9 @@ looks like a header
 two
 three
@@ -20,2 +21 @@ function f() {
-twenty
 twenty-one
@@ -30,2 +31,0 @@
-thirty
-thirty-one
@@ -40 +40,2 @@
-forty
+forty\r
+forty-one\r
\\ No newline at end of file`

describe('the right side of a patch', () => {
  test('is the hunks that have lines there', () => {
    assert.deepEqual(rightHunks(PATCH), [
      { start: 1, end: 4, carriageReturns: false },
      { start: 21, end: 21, carriageReturns: false },
      { start: 40, end: 41, carriageReturns: true },
    ])
    assert.deepEqual(rightHunks(''), [])
  })
})

describe('a comment goes', () => {
  const hunks = rightHunks(PATCH)
  const at = (line: number, endLine: number) => positionIn(hunks, { line, endLine })

  test('to its lines, where one hunk has them all', () => {
    assert.deepEqual(at(2, 4), { startLine: 2, line: 4, suggestable: true })
    assert.deepEqual(at(21, 21), { startLine: 21, line: 21, suggestable: true })
  })

  test('to the part that a hunk has, with nothing to apply there', () => {
    assert.deepEqual(at(3, 30), { startLine: 3, line: 4, suggestable: false })
    assert.deepEqual(at(10, 22), { startLine: 21, line: 21, suggestable: false })
  })

  test('nowhere, where no hunk has any of its lines', () => {
    assert.equal(at(5, 20), undefined)
    assert.equal(at(31, 31), undefined)
    assert.equal(positionIn([], { line: 1, endLine: 1 }), undefined)
  })

  test('with nothing to apply, where lines end in carriage returns', () => {
    assert.deepEqual(at(40, 41), { startLine: 40, line: 41, suggestable: false })
  })
})
