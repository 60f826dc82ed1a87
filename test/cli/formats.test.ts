import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { Ajv } from 'ajv'
import ajvFormats from 'ajv-formats'
import fc from 'fast-check'
import { FORMATS, type FormatContext, formatReview, type RuleFacts } from '../../src/cli/formats/index.ts'
import { type Finding, type Review, SEVERITIES } from '../../src/review/review.ts'

const finding = (rest: Partial<Finding> = {}): Finding => ({
  id: '0123456789abcdef',
  source: 'rule',
  rule: 'typescript/async-foreach',
  path: 'src/pay.ts',
  line: 10,
  endLine: 11,
  severity: 'high',
  what: 'The promise is not awaited.',
  why: 'Its failure is lost.',
  advice: 'Await it.',
  ...rest,
})

const review = (rest: Partial<Review> = {}): Review => ({
  base: 'b'.repeat(40),
  head: 'a'.repeat(40),
  since: null,
  files: { changed: 3, reviewed: 2, secretsOnly: 0 },
  findings: [finding()],
  carried: [],
  fixed: [],
  returned: [],
  notes: [{ about: 'logo.png', reason: 'not reviewed: a binary file' }],
  model: { used: true, model: 'fake', requests: 1, inputTokens: 1200, outputTokens: 80 },
  fetchedBytes: 0,
  ...rest,
})

const context = (rest: Partial<FormatContext> = {}): FormatContext => ({
  repository: '/srv/git/shop',
  title: 'Pay by card',
  color: false,
  ...rest,
})

const rule: RuleFacts = {
  id: 'typescript/async-foreach',
  severity: 'high',
  what: 'A promise is not awaited.',
  why: 'Its failure is lost.',
  advice: 'Await it.',
}

const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false })
ajvFormats.default(ajv)
// Draft 4 names itself in a way that Ajv 8 does not take; none of the keywords in use differ.
const {
  $schema: _schema,
  id: _id,
  ...sarifSchema
} = JSON.parse(
  readFileSync(
    createRequire(import.meta.url).resolve('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json'),
    'utf8',
  ),
)
const isSarif = ajv.compile(sarifSchema)

function sarif(reviewed: Review, rest: Partial<FormatContext> = {}) {
  const log = JSON.parse(formatReview(reviewed, 'sarif', context(rest)))
  const valid: boolean = isSarif(log)
  assert.ok(valid, ajv.errorsText(isSarif.errors))
  return log.runs[0]
}

test('text says where, how bad, what, why, what to do, what was left out, and how much that is', () => {
  assert.equal(
    formatReview(review({ findings: [finding({ replacement: 'await pay()\nlog()' })] }), 'text', context()),
    `Pay by card (/srv/git/shop)
bbbbbbbbbbbb..aaaaaaaaaaaa

src/pay.ts
  src/pay.ts:10  high  typescript/async-foreach
    The promise is not awaited.
    Its failure is lost.
    Instead: Await it.
    lines 10 to 11 become
    + await pay()
    + log()

Not reviewed, or not fully
  logo.png: not reviewed: a binary file

Model: fake, 1 request, 1200 tokens in, 80 out.
1 finding (1 high) in 2 reviewed of 3 changed files.`,
  )
})

test('text shows a replacement as a diff where the original is known', () => {
  const findings = [finding({ endLine: 10, replacement: 'await pay()' })]
  const text = formatReview(review({ findings }), 'text', context({ original: () => 'pay()' }))
  assert.ok(text.includes('    line 10 becomes\n    - pay()\n    + await pay()\n'), text)
})

test('text keeps a file together, in the order of its lines, the file with the first finding first', () => {
  const findings = [
    finding({ path: 'b.ts', line: 9 }),
    finding({ path: 'a.ts', line: 5 }),
    finding({ path: 'b.ts', line: 2 }),
  ]
  const places = formatReview(review({ findings }), 'text', context()).match(/^ {2}[ab]\.ts:\d+/gm)
  assert.deepEqual(places, ['  b.ts:2', '  b.ts:9', '  a.ts:5'])
})

test('text has colour only where it is asked for, and says the same with it', () => {
  const plain = formatReview(review(), 'text', context())
  const colored = formatReview(review(), 'text', context({ color: true }))
  assert.ok(!plain.includes('\u001b') && colored.includes('\u001b[31mhigh\u001b[39m'))
  assert.equal(stripVTControlCharacters(colored), plain)
})

for (const format of ['text', 'markdown', 'json', 'sarif'] as const) {
  test(`${format} never passes a review without a model for one with it`, () => {
    const reason = 'no model is configured (LLM_BASE_URL and LLM_MODEL)'
    const quiet = review({ findings: [], notes: [], model: { used: false, reason } })
    assert.ok(formatReview(quiet, format, context()).includes(reason))
  })
}

test('json is version 1 and says everything that the review says', () => {
  const document = JSON.parse(formatReview(review(), 'json', context()))
  assert.deepEqual(document, { version: 1, repository: '/srv/git/shop', title: 'Pay by card', ...review() })
})

test('markdown can be pasted as it is', () => {
  const findings = [finding({ replacement: 'await pay()' })]
  assert.equal(
    formatReview(review({ findings }), 'markdown', context()),
    `## Review: Pay by card

**1 finding (1 high) in 2 reviewed of 3 changed files**, \`/srv/git/shop\` at \`aaaaaaaaaaaa\`.

### high: The promise is not awaited.

\`src/pay.ts:10-11\` \`typescript/async-foreach\`

Its failure is lost.

**Instead:** Await it.

\`\`\`suggestion
await pay()
\`\`\`

### Not reviewed, or not fully

- \`logo.png\`: not reviewed: a binary file

Model: fake, 1 request, 1200 tokens in, 80 out.`,
  )
})

test('a fence in a suggestion does not end it', () => {
  const findings = [finding({ replacement: '```\n<!-- out -->\n```' })]
  const markdown = formatReview(review({ findings }), 'markdown', context())
  assert.ok(markdown.includes('````suggestion\n```\n<!-- out -->\n```\n````'))
})

test('sarif has the rule, its level, the lines, the fingerprint, the fix and the notes', () => {
  const run = sarif(review({ findings: [finding({ replacement: 'await pay()' })] }), { rules: [rule] })
  assert.deepEqual(run.tool.driver.rules, [
    {
      id: 'typescript/async-foreach',
      shortDescription: { text: 'A promise is not awaited.' },
      fullDescription: { text: 'Its failure is lost.' },
      help: { text: 'Await it.' },
      defaultConfiguration: { level: 'error' },
    },
  ])
  const [result] = run.results
  assert.deepEqual([result.ruleId, result.ruleIndex, result.level], [rule.id, 0, 'error'])
  assert.deepEqual(result.partialFingerprints, { 'kodusFinding/v1': '0123456789abcdef' })
  assert.deepEqual(result.locations[0].physicalLocation, {
    artifactLocation: { uri: 'src/pay.ts' },
    region: { startLine: 10, endLine: 11 },
  })
  assert.deepEqual(result.fixes[0].artifactChanges[0].replacements, [
    { deletedRegion: { startLine: 10, endLine: 11 }, insertedContent: { text: 'await pay()' } },
  ])
  const [invocation] = run.invocations
  assert.equal(invocation.toolExecutionNotifications[0].message.text, 'logo.png: not reviewed: a binary file')
})

test('sarif maps every severity to a level, and knows the rules of all findings', () => {
  const findings = SEVERITIES.map((severity) =>
    finding({ severity, rule: `model/${severity}`, source: 'model' }),
  )
  const run = sarif(review({ findings }), { rules: [rule] })
  const levels = run.results.map(({ level }: { level: string }) => level)
  assert.deepEqual(levels, ['note', 'warning', 'error', 'error'])
  for (const { ruleId, ruleIndex } of run.results) assert.equal(run.tool.driver.rules[ruleIndex].id, ruleId)
})

for (const [path, uri] of [
  ['dir with space/ü#?.ts', 'dir%20with%20space/%C3%BC%23%3F.ts'],
  ['c:evil.ts', 'c%3Aevil.ts'],
  ['100%.ts', '100%25.ts'],
  ['caf\ufffd.ts', 'caf%EF%BF%BD.ts'],
  ['half\ud800.ts', 'half%EF%BF%BD.ts'],
  ['a\nb\u001b[31m.ts', 'a%0Ab%1B%5B31m.ts'],
] as const) {
  test(`sarif names ${JSON.stringify(path)} as the URI ${uri}`, () => {
    const [result] = sarif(review({ findings: [finding({ path })] })).results
    assert.equal(result.locations[0].physicalLocation.artifactLocation.uri, uri)
  })
}

test("sarif names a repository's URL without its credentials, and no URL for a path", () => {
  const repository = 'https://me:token@git.example.com/shop.git'
  const [source] = sarif(review(), { repository }).versionControlProvenance
  assert.deepEqual(source, { repositoryUri: 'https://git.example.com/shop.git', revisionId: 'a'.repeat(40) })
  assert.equal(sarif(review()).versionControlProvenance, undefined)
})

test('a link that somebody smuggled into a message is none in sarif', () => {
  const [result] = sarif(review({ findings: [finding({ what: '[fix](https://evil.example)' })] })).results
  assert.ok(!result.message.text.includes(']('))
})

const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '\u001b]0;owned\u0007',
    '\u001b[2J\u001b[31mred',
    '\u009b31m',
    'a\u202eb',
    '"\'`\\',
    '</script><!--',
    '```\n@everyone ![x](http://evil.example)',
    '\ud800',
    '',
  ),
)
const hostileReview = fc
  .record({ text: hostile, path: hostile, code: hostile })
  .map(({ text, path, code }) => ({
    review: review({
      findings: [finding({ path, what: text, why: text, advice: text, rule: text, replacement: code })],
      notes: [{ about: path, reason: text }],
      model: { used: true, model: text, requests: 1, inputTokens: 1, outputTokens: 1 },
    }),
    context: context({ title: text, repository: path, original: () => code }),
  }))

for (const format of FORMATS) {
  test(`whatever a repository or a model writes, ${format} cannot drive a terminal or hide text`, () => {
    fc.assert(
      fc.property(hostileReview, ({ review, context }) => {
        const output = formatReview(review, format, context)
        assert.doesNotMatch(output.replace(/[\n\t]/g, ''), /[\p{Cc}\p{Cf}\p{Cs}]/u)
      }),
      { numRuns: 1_000 },
    )
  })
}

test('whatever a repository or a model writes, json and sarif are what they claim to be', () => {
  fc.assert(
    fc.property(hostileReview, ({ review, context }) => {
      assert.deepEqual(JSON.parse(formatReview(review, 'json', context)).findings, review.findings)
      sarif(review, context)
    }),
    { numRuns: 500 },
  )
})

test('whatever a repository or a model writes, nothing of it is live in markdown', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const findings = [finding({ path: text, what: text, why: text, advice: text, rule: text })]
      const notes = [{ about: text, reason: text }]
      const markdown = formatReview(review({ findings, notes }), 'markdown', context({ title: text }))
      const prose = markdown.replace(/(`+)[^`](?:.*?[^`])??\1(?!`)/g, '')
      assert.doesNotMatch(prose, /<[a-z!/]|@\w|!\[|\]\(|:\/\//i)
    }),
    { numRuns: 1_000 },
  )
})
