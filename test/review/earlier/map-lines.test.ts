import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { mapLine, mapRange } from '../../../src/review/earlier/map-lines.ts'
import { changedFile } from '../../support/diff-lines.ts'

const hunks = (before: string, after: string) => changedFile('a.ts', [...before], [...after]).hunks

for (const [says, before, after, [line, endLine], expected] of [
  ['nothing changed', 'abc', 'abc', [2, 3], { state: 'same', line: 2, endLine: 3 }],
  ['lines were added above', 'abc', 'xyabc', [2, 3], { state: 'same', line: 4, endLine: 5 }],
  ['lines were added right below', 'abc', 'abxc', [1, 2], { state: 'same', line: 1, endLine: 2 }],
  [
    'lines far above were removed',
    'xyz.......abc',
    '.......abc',
    [12, 13],
    { state: 'same', line: 9, endLine: 10 },
  ],
  ['the line was edited', 'abc', 'aXc', [2, 2], { state: 'changed', line: 2, endLine: 2 }],
  ['one line became two', 'abc', 'aXYc', [2, 2], { state: 'changed', line: 2, endLine: 3 }],
  ['the line was removed', 'abc', 'ac', [2, 2], { state: 'gone' }],
  ['the last line was removed', 'abc', 'ab', [3, 3], { state: 'gone' }],
  ['everything was removed', 'abc', '', [1, 3], { state: 'gone' }],
  ['one of its lines was removed', 'abcd', 'abd', [2, 3], { state: 'changed', line: 2, endLine: 2 }],
  [
    'a line was put between two of its own',
    'abcd',
    'abXcd',
    [2, 3],
    { state: 'changed', line: 2, endLine: 4 },
  ],
  ['its end was edited', 'abcd', 'abXd', [2, 3], { state: 'changed', line: 2, endLine: 3 }],
] as const) {
  test(`where lines are when ${says}`, () => {
    assert.deepEqual(mapRange(hunks(before, after), { line, endLine }), expected)
  })
}

test('an empty file that was filled maps nothing wrongly', () => {
  assert.equal(mapLine(changedFile('a.ts', [], ['x', 'y']).hunks, 1), 3)
})

// Lines are told apart by their text, so that where each one went is known without a diff.
const edits = fc
  .tuple(fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }), fc.array(fc.nat(40), { maxLength: 12 }))
  .map(([keeps, insertions]) => {
    const before = keeps.map((_, at) => `line ${at + 1}`)
    const after = before.filter((_, at) => keeps[at])
    for (const [at, where] of insertions.entries()) after.splice(where, 0, `new ${at}`)
    return { before, after }
  })

test('every line that is left maps to where its text is, and every other to nowhere', () => {
  fc.assert(
    fc.property(edits, ({ before, after }) => {
      const { hunks } = changedFile('a.ts', before, after)
      for (const [at, text] of before.entries()) {
        const expected = after.indexOf(text)
        assert.equal(mapLine(hunks, at + 1), expected < 0 ? undefined : expected + 1)
      }
    }),
    { numRuns: 500 },
  )
})

test('lines are the same exactly when all of them are left and together', () => {
  fc.assert(
    fc.property(edits, fc.nat(39), fc.nat(5), ({ before, after }, from, length) => {
      const line = Math.min(from + 1, before.length)
      const endLine = Math.min(line + length, before.length)
      const places = before.slice(line - 1, endLine).map((text) => after.indexOf(text) + 1)
      const first = places[0] ?? 0
      const together = first > 0 && places.every((place, at) => place === first + at)
      const mapped = mapRange(changedFile('a.ts', before, after).hunks, { line, endLine })
      assert.equal(mapped.state === 'same', together)
      if (mapped.state === 'gone') assert.ok(places.every((place) => place === 0))
      else
        for (const place of places)
          assert.ok(place === 0 || (place >= mapped.line && place <= mapped.endLine))
    }),
    { numRuns: 500 },
  )
})
