import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Glob, matchesGlob, parseGlob } from '../../src/review/glob.ts'

for (const [pattern, yes, no] of [
  ['src/a.ts', ['src/a.ts'], ['src/b.ts', 'a.ts', 'src/a.ts/b', 'x/src/a.ts']],
  ['*.ts', ['a.ts', '.ts', '.a.ts'], ['src/a.ts', 'a.tsx']],
  ['a?c', ['abc', 'a.c'], ['ac', 'a/c', 'abbc']],
  ['**', ['a', 'a/b/c', '.github/x'], []],
  ['**/a', ['a', 'x/a', 'x/y/a'], ['a/x', 'xa']],
  ['gen/**', ['gen', 'gen/a', 'gen/a/b', 'gen/.a'], ['x/gen/a', 'generated/a']],
  ['a/**/z', ['a/z', 'a/b/z', 'a/b/c/z'], ['a', 'z', 'a/z/b']],
  ['**/x/**/y', ['x/y', 'y/x/y/x/y'], ['y/x', 'x/z']],
  ['a**b', ['ab', 'axxb'], ['a/b']],
  ['**/*.{min.js,map}', ['a.min.js', 'x/b.map'], ['a.js', 'x/map']],
  ['{src,test}/{a,b}.ts', ['src/a.ts', 'test/b.ts'], ['src/c.ts']],
  ['{a/b,c}/d', ['a/b/d', 'c/d'], ['a/d']],
  ['a+b@$^|', ['a+b@$^|'], ['aab']],
] as const) {
  test(`${pattern} matches what it should and nothing else`, () => {
    const globs = parseGlob(pattern)
    for (const path of yes) assert.ok(matchesGlob(globs, path), path)
    for (const path of no) assert.ok(!matchesGlob(globs, path), path)
  })
}

for (const pattern of [
  '',
  '/a',
  'a/',
  'a//b',
  './a',
  '../a',
  '!a',
  '(a+)+b',
  '([a]+)+',
  '+(a|b)',
  'a\\b',
  '[a-z]',
  '{a',
  'a}',
  '{a,{b,c}}',
  '{1..9}',
  '{a,b}'.repeat(20),
  'a'.repeat(64 * 1024),
]) {
  test(`${pattern.slice(0, 30) || '(nothing)'} is refused with a reason`, () => {
    assert.throws(() => parseGlob(pattern), SyntaxError)
  })
}

/** What a glob means, as a regular expression: slow in the worst case, plain to read. */
function meaning(glob: Glob): RegExp {
  const segment = (text: string) => text.replaceAll('*', '[^/]*').replaceAll('?', '[^/]')
  const source = glob.map((part) => (part === '**' ? '(?:[^/]+/)*' : `${segment(part)}/`)).join('')
  return new RegExp(`^${source}$`)
}

test('a path matches exactly when the pattern, read as a regular expression, does', () => {
  const letters = fc.array(fc.constantFrom('a', 'b', '*', '?'), { minLength: 1, maxLength: 4 })
  const segment = fc.oneof(
    fc.constant('**'),
    letters.map((all) => all.join('')),
  )
  const pattern = fc.array(segment, { minLength: 1, maxLength: 4 })
  const name = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 4 })
  const path = fc.array(name, { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(pattern, path, (glob, names) => {
      assert.equal(matchesGlob([glob], names.join('/')), meaning(glob).test(`${names.join('/')}/`))
    }),
    { numRuns: 20_000 },
  )
})

test('patterns that make a regular expression hang are matched at once', { timeout: 20_000 }, () => {
  const started = performance.now()
  for (const pattern of [
    '*a'.repeat(99),
    `${'*a'.repeat(99)}b`,
    `${'**/a/'.repeat(39)}b`,
    '*?'.repeat(100),
  ]) {
    const globs = parseGlob(pattern)
    for (const path of ['a'.repeat(4_000), 'a/'.repeat(2_000).slice(0, -1)]) matchesGlob(globs, path)
  }
  assert.ok(performance.now() - started < 5_000)
})
