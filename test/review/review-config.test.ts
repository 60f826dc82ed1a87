import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { matchesGlob } from '../../src/review/glob.ts'
import { defaultConfig, parseReviewConfig } from '../../src/review/review-config.ts'

const ignores = (text: string, path: string) => matchesGlob(parseReviewConfig(text).config.ignorePaths, path)

test('an empty file, one of comments and one of nothing known leave the defaults', () => {
  for (const text of ['', '# later\n', '---\n', '{}']) {
    assert.deepEqual(parseReviewConfig(text), { config: defaultConfig, problems: [] })
  }
})

test('what is said in the file counts', () => {
  const text =
    'version: "1"\nignorePaths: [gen/**, "*.md"]\nsuggestionControl: { severityLevelFilter: high }\n'
  const { config, problems } = parseReviewConfig(text)
  assert.deepEqual(problems, [])
  assert.equal(config.suggestionControl.severityLevelFilter, 'high')
  assert.ok(ignores(text, 'gen/a/b.ts') && ignores(text, 'x.md') && !ignores(text, 'a.ts'))
})

test('a pattern that cannot be used is named and takes no other with it', () => {
  for (const bad of ['""', '"(a+)+b"', '"([a]+)+"', `"${'a'.repeat(60_000)}"`]) {
    const text = `ignorePaths: [gen/**, ${bad}]`
    const { problems } = parseReviewConfig(text)
    assert.equal(problems.length, 1)
    assert.match(problems[0] ?? '', /^`ignorePaths`: `.*` is not used: /)
    assert.ok(ignores(text, 'gen/a') && !ignores(text, 'a'))
  }
})

for (const [what, line] of [
  ['an alias of nothing', 'ignorePaths: *nowhere'],
  ['another type', 'ignorePaths: yes'],
  ['nothing', 'ignorePaths:'],
  [
    'an alias bomb',
    `ignorePaths: [&a [x, x], ${Array.from({ length: 25 }, (_, at) => `&${String.fromCharCode(98 + at)} [${`*${String.fromCharCode(97 + at)},`.repeat(9)}]`).join(', ')}]`,
  ],
] as const) {
  test(`a key that holds ${what} is named, and only that key is at its default`, () => {
    const { config, problems } = parseReviewConfig(
      `${line}\nsuggestionControl:\n  severityLevelFilter: medium\n`,
    )
    assert.equal(problems.length, 1)
    assert.match(problems[0] ?? '', /^`ignorePaths/)
    assert.deepEqual(config.ignorePaths, [])
    assert.equal(config.suggestionControl.severityLevelFilter, 'medium')
  })
}

test('a key that anchors something is there for the keys behind it', () => {
  assert.ok(ignores('version: &all "gen/**"\nignorePaths: [*all]\n', 'gen/a'))
})

test('a key that is there twice is named, and the last one counts', () => {
  const control = 'suggestionControl: { severityLevelFilter: low, severityLevelFilter: high }'
  const { config, problems } = parseReviewConfig(`version: 1\n${control}\nversion: 2\n`)
  assert.equal(config.suggestionControl.severityLevelFilter, 'high')
  assert.deepEqual(problems, [
    '`version` is there twice: the last one counts',
    '`severityLevelFilter` is there twice: the last one counts',
  ])
})

test('a file that is too large is said to be, and not taken for none', () => {
  const { config, problems } = parseReviewConfig(`ignorePaths: ["**"]\n${'#'.repeat(64 * 1024)}`)
  assert.deepEqual(config, defaultConfig)
  assert.deepEqual(problems, ['too large: over 65536 characters'])
})

test('more patterns than anybody needs are not used, and that is said', () => {
  const text = `ignorePaths: [${Array.from({ length: 1_000 }, (_, at) => `f${at}`)}]`
  assert.deepEqual(parseReviewConfig(text).problems, [
    '`ignorePaths`: more than 200 patterns: those behind are not used',
  ])
  assert.ok(ignores(text, 'f199') && !ignores(text, 'f200'))
})

test('a file full of problems costs a review a few lines', () => {
  const { problems } = parseReviewConfig(Array.from({ length: 5_000 }, (_, at) => `k${at}: x`).join('\n'))
  assert.equal(problems.length, 21)
  assert.deepEqual([problems[0], problems.at(-1)], ['unknown key `k0`', '4980 more problems'])
  assert.ok(problems.join('').length < 10_000)
})

const full = (piece: string) => piece.repeat(Math.floor((64 * 1024) / piece.length))

for (const piece of [
  '[',
  '{',
  '- ',
  '? ',
  ']',
  '!a ',
  '%A\n',
  '\t\n',
  'a: b: c\n',
  '- &a x\n',
  '- *a\n',
  ': ',
  '"\\z',
  '---\n',
  '[ #\n',
]) {
  test(`64 KiB of ${JSON.stringify(piece)} are read or refused in seconds`, { timeout: 60_000 }, () => {
    const started = performance.now()
    const { config } = parseReviewConfig(full(piece))
    assert.deepEqual(config, defaultConfig)
    assert.ok(performance.now() - started < 20_000)
  })
}

test('64 KiB of keys are read or refused in seconds', { timeout: 60_000 }, () => {
  const keys = Array.from({ length: 20_000 }, (_, at) => at.toString(36))
  const started = performance.now()
  parseReviewConfig(`{${keys.join(',').slice(0, 64 * 1024 - 2)}}`)
  parseReviewConfig(`suggestionControl: {${keys.join(',').slice(0, 60 * 1024)}}`)
  assert.ok(performance.now() - started < 40_000)
})

test('no text makes it throw, and what it leaves is a configuration', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'ignorePaths',
      'suggestionControl',
      'severityLevelFilter',
      'version',
      ':',
      ': ',
      '\n',
      '  ',
      '- ',
      '[',
      ']',
      '{',
      '}',
      ',',
      '&a ',
      '*a',
      '<<',
      '!!set ',
      '!!binary ',
      '"',
      "'",
      '|\n',
      '?',
      '#',
      '**',
      '__proto__',
      'high',
    ),
    fc.string({ unit: 'binary', maxLength: 4 }),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const { config, problems } = parseReviewConfig(pieces.join(''))
      assert.equal(typeof matchesGlob(config.ignorePaths, 'a/b'), 'boolean')
      assert.ok(['low', 'medium', 'high', 'critical'].includes(config.suggestionControl.severityLevelFilter))
      assert.ok(problems.every((problem) => problem.length <= 300))
    }),
    { numRuns: 5_000 },
  )
})

test('an unknown key inside a known one is named too, and its neighbours count', () => {
  const { config, problems } = parseReviewConfig(
    'suggestionControl:\n  severityLevelFilter: high\n  severtyLevel: low\n',
  )
  assert.equal(config.suggestionControl.severityLevelFilter, 'high')
  assert.deepEqual(problems, ['unknown key `suggestionControl.severtyLevel`'])
})
