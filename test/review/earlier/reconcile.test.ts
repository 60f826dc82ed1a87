import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Place } from '../../../src/review/earlier/locate-findings.ts'
import { type Comparison, reconcile } from '../../../src/review/earlier/reconcile.ts'
import type { Finding } from '../../../src/review/review.ts'

const finding = (id: string, line: number, rest: Partial<Finding> = {}): Finding => ({
  id,
  source: 'model',
  rule: 'model/bug',
  path: 'a.ts',
  line,
  endLine: line,
  severity: 'high',
  what: 'The total is never rounded.',
  why: '',
  advice: '',
  ...rest,
})

const place = (state: 'same' | 'changed', line: number, endLine = line): Place => ({
  ...{ state, path: 'a.ts', line, endLine },
})

function compare(comparison: Partial<Comparison>) {
  const said = new Set(comparison.open?.map(({ finding }) => finding.id))
  const defaults = { found: [], open: [], dismissed: new Set<string>(), aliases: {} }
  const always = { isFresh: () => true, hasRead: () => true, wasSaid: (id: string) => said.has(id) }
  const { aliases, ...lists } = reconcile({ ...defaults, ...always, ...comparison })
  const told = Object.entries(lists).flatMap(([state, list]) =>
    list.map(({ id, line }) => `${state} ${id}:${line}`),
  )
  return { told, aliases }
}

const rule: Partial<Finding> = { source: 'rule', rule: 'typescript/empty-catch' }

for (const [guarantee, comparison, expected] of [
  [
    'what a model does not say again about lines that are as they were is still open',
    { open: [{ finding: finding('a', 5), place: place('same', 9) }] },
    ['carried a:9'],
  ],
  [
    'what a rule does not find again where it looked is fixed, even by an edit beside it',
    { open: [{ finding: finding('a', 5, rule), place: place('same', 9) }] },
    ['fixed a:5'],
  ],
  [
    'what nobody looked at again is still open',
    { open: [{ finding: finding('a', 5, rule), place: place('same', 9) }], hasRead: () => false },
    ['carried a:9'],
  ],
  [
    'an edit that nobody has read again claims nothing',
    { open: [{ finding: finding('a', 5), place: place('changed', 9, 12) }], hasRead: () => false },
    ['carried a:9'],
  ],
  [
    'an edit after which the model has nothing to say is a fix',
    { open: [{ finding: finding('a', 5), place: place('changed', 9, 12) }] },
    ['fixed a:5'],
  ],
  [
    'an edit after which the model says something of the kind is none',
    {
      open: [{ finding: finding('a', 5), place: place('changed', 9, 12) }],
      found: [finding('b', 11, { what: 'Cents are lost.' })],
    },
    ['carried a:11'],
  ],
  [
    'lines that are gone are fixed, whoever looked',
    { open: [{ finding: finding('a', 5), place: { state: 'gone' } }], hasRead: () => false },
    ['fixed a:5'],
  ],
  [
    'what cannot be told is still open',
    { open: [{ finding: finding('a', 5), place: { state: 'unknown' } }] },
    ['carried a:5'],
  ],
  [
    'a model that says the same in other words, one line further down, is not repeated',
    {
      open: [{ finding: finding('a', 5), place: place('same', 9) }],
      found: [finding('b', 9, { endLine: 10, what: 'The total of the order is not rounded.' })],
    },
    ['carried a:9'],
  ],
  [
    'a model that says something else there is heard',
    {
      open: [{ finding: finding('a', 5), place: place('same', 9) }],
      found: [finding('b', 9, { endLine: 10, what: 'Concurrent callers overwrite each other.' })],
    },
    ['findings b:9', 'carried a:9'],
  ],
  [
    'another rule at the same line is another matter',
    {
      open: [{ finding: finding('a', 5, rule), place: place('same', 9) }],
      found: [finding('a', 9, rule), finding('b', 9, { ...rule, rule: 'typescript/eval-of-expression' })],
    },
    ['findings b:9', 'carried a:9'],
  ],
  [
    'what stands on lines that were read before is not news',
    { found: [finding('b', 9, rule)], isFresh: () => false },
    [],
  ],
  [
    'what was said, was fixed and is found is back',
    { found: [finding('b', 9, rule)], wasSaid: (id: string) => id === 'b' },
    ['returned b:9'],
  ],
  [
    'what was dismissed and is found is not said',
    { found: [finding('b', 9, rule)], dismissed: new Set(['b']) },
    [],
  ],
  [
    'what was dismissed is followed on, and is never fixed',
    {
      open: [
        { finding: finding('a', 5), place: place('same', 9) },
        { finding: finding('b', 6), place: { state: 'gone' } },
      ],
      dismissed: new Set(['a', 'b']),
    },
    ['forgotten a:9'],
  ],
] as [string, Partial<Comparison>, string[]][]) {
  test(guarantee, () => {
    assert.deepEqual(compare(comparison).told, expected)
  })
}

test('an edited finding is known by the new name of its code from then on', () => {
  const open = [{ finding: finding('a', 5), place: place('changed', 9) }]
  const { aliases } = compare({ open, found: [finding('b', 9)] })
  assert.deepEqual(aliases, { b: 'a' })
  const back = compare({ found: [finding('b', 9)], aliases, wasSaid: (id) => id === 'a' })
  assert.deepEqual(back.told, ['returned a:9'])
  assert.deepEqual(compare({ found: [finding('b', 9)], aliases, dismissed: new Set(['a']) }).told, [])
})

test('what was said, and a model says in other words, is known by these words, too', () => {
  for (const said of [finding('a', 5), finding('a', 5, rule)]) {
    const open = [{ finding: said, place: place('same', 9) }]
    const found = [finding('b', 9, { endLine: 10, what: 'The total of the order is not rounded.' })]
    const known = { told: ['carried a:9'], aliases: { b: 'a' } }
    assert.deepEqual(compare({ open, found, hasRead: () => false }), known)
  }
})

test('a replacement for lines that are not what they were is not kept', () => {
  const old = finding('a', 5, { replacement: 'x' })
  const carried = (where: Place) =>
    reconcile({
      ...{ found: [], open: [{ finding: old, place: where }], dismissed: new Set(), aliases: {} },
      ...{ isFresh: () => true, hasRead: () => false, wasSaid: () => true },
    }).carried[0]
  assert.equal(carried(place('same', 9))?.replacement, 'x')
  assert.equal(carried(place('changed', 9))?.replacement, undefined)
})
