import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { postableReview } from '../../src/review/postable-review.ts'
import type { Finding, Review, Severity, Wording } from '../../src/review/review.ts'

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

const wording: Wording = { language: 'en', failOn: null, suggestions: true }

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
  wording,
  ...rest,
})

const post = (rest: Partial<Review> = {}) => postableReview(review(rest), { jobId: 'job', run: 1 })

test('a summary tells what is open, what was said, what was left out, what was read and by whom', () => {
  const incremental = {
    since: 'c'.repeat(40),
    files: { changed: 12, reviewed: 2, secretsOnly: 1, unchanged: 9 },
    carried: [finding({ id: 'b', path: 'src/old.ts', line: 3, severity: 'low', what: 'Old.' })],
    fixed: [finding({ id: 'c', what: 'Mended.' })],
  }
  assert.equal(
    post(incremental).summary,
    `### Review of \`bbbbbbb..aaaaaaa\`

**2 findings open (1 high, 1 low).** 1 new, 1 from before, 1 fixed.

**New**

- high: \`src/pay.ts:10\` The promise is not awaited.

**Still open**

- low: \`src/old.ts:3\` Old.

**Fixed**

- high: \`src/pay.ts\` Mended.

**Not reviewed, or not fully**

- \`logo.png\`: not reviewed: a binary file

Read 2 of 12 files that the change touches; scanned 1 more for secrets only: what is new since \`ccccccc\`. 9 files unchanged since \`ccccccc\` were reviewed before. Model: \`fake\`, 1 request.

Commands, in a comment: \`@kody review\`, \`@kody review --force\`, \`@kody pause\`, \`@kody resume\`, \`@kody ignore\`, \`@kody help\`.`,
  )
})

test('the same in Brazilian Portuguese, where the configuration says so; in English for what we cannot write', () => {
  const portuguese = post({ wording: { ...wording, language: 'pt-BR' } })
  assert.match(portuguese.summary, /1 apontamento em aberto \(1 alta\)/)
  assert.match(portuguese.comments[0]?.body ?? '', /\(alta, `typescript\/async-foreach`\)/)
  assert.match(post({ wording: { ...wording, language: 'fr' } }).summary, /1 finding open/)
})

test('a quiet review says so once; one file was, and several were', () => {
  const since = 'c'.repeat(40)
  const quiet = (unchanged: number, language = 'en') =>
    post({
      ...{ findings: [], since, files: { changed: 3, reviewed: 1, secretsOnly: 0, unchanged } },
      wording: { ...wording, language },
    }).summary
  assert.match(quiet(1), /\n\n\*\*No open findings\.\*\*\n\n/)
  assert.match(quiet(1, 'pt'), /\n\n\*\*Nenhum apontamento em aberto\.\*\*\n\n/)
  assert.match(quiet(1), /1 file unchanged since `ccccccc` was reviewed before\./)
  assert.match(quiet(2), /2 files unchanged since `ccccccc` were reviewed before\./)
})

test('problems of the configuration are no files that were left out: they have a heading of their own', () => {
  const notes = [
    { about: 'logo.png', reason: 'not reviewed: a binary file' },
    { about: 'kodus-config.yml', reason: 'unknown key `@everyone`' },
  ]
  const { summary } = post({ notes })
  assert.match(
    summary,
    /\*\*Problems in kodus-config\.yml\*\*\n\n- unknown key `@everyone`\n\n\*\*Not reviewed, or not fully\*\*\n\n- `logo\.png`: [^\n]*\n\nRead/,
  )
  const portuguese = post({ notes, wording: { ...wording, language: 'pt-BR' } })
  assert.match(portuguese.summary, /\*\*Problemas em kodus-config\.yml\*\*/)
})

test('a review that an older build stored is worded by the defaults', () => {
  const { wording: _, ...old } = review()
  const { verdict, comments } = postableReview(old, { jobId: 'job', run: 1 })
  assert.deepEqual([verdict.conclusion, comments.length], ['neutral', 1])
})

test('never passes a review without a model for one with it', () => {
  const reason = 'no model is configured'
  const { summary } = post({ findings: [], model: { used: false, reason } })
  assert.match(summary, /No model was asked: no model is configured\./)
})

const of = (severity: Severity) => [finding({ severity })]

for (const [says, rest, failOn, conclusion] of [
  ['nothing is open', { findings: [] }, 'low', 'success'],
  ['all that was said is fixed', { findings: [], fixed: of('critical') }, 'low', 'success'],
  ['something is open, and nothing fails', { findings: of('critical') }, null, 'neutral'],
  ['what is open is not severe enough to fail', { findings: of('medium') }, 'high', 'neutral'],
  ['what is new is severe enough', { findings: of('high') }, 'high', 'failure'],
  ['what was said before is severe enough', { findings: [], carried: of('critical') }, 'high', 'failure'],
  ['what is back is severe enough', { findings: [], returned: of('high') }, 'high', 'failure'],
  ['what is dismissed would be severe enough', { findings: [], forgotten: of('high') }, 'high', 'success'],
] as [string, Partial<Review>, Severity | null, string][]) {
  test(`the verdict is ${conclusion} when ${says}`, () => {
    assert.equal(post({ ...rest, wording: { ...wording, failOn } }).verdict.conclusion, conclusion)
  })
}

test('a check that fails says first by which setting, and the summary comment does not', () => {
  const fails = (language: string) =>
    post({ findings: of('critical'), wording: { ...wording, language, failOn: 'high' } })
  const { verdict, summary } = fails('en')
  assert.equal(verdict.summary, `Fails because \`checks.failOn\` is \`high\`.\n\n${summary}`)
  assert.match(fails('pt-BR').verdict.summary, /^Falha porque `checks\.failOn` é `high`\.\n/)
  const passes = post({ findings: of('medium'), wording: { ...wording, failOn: 'high' } })
  assert.equal(passes.verdict.summary, passes.summary)
})

test('a replacement is offered, unless the repository does not want any', () => {
  const findings = [finding({ replacement: 'await pay()' })]
  assert.equal(post({ findings }).comments[0]?.replacement, 'await pay()')
  const without = post({ findings, wording: { ...wording, suggestions: false } })
  assert.ok(without.comments[0] && !('replacement' in without.comments[0]))
})

test('only what is new is commented on; what is settled or back is answered in its thread', () => {
  const { comments, followUps } = post({
    carried: [finding({ id: 'open' })],
    fixed: [finding({ id: 'fixed' })],
    returned: [finding({ id: 'back', line: 4 })],
  })
  assert.deepEqual(
    comments.map(({ id }) => id),
    ['0123456789abcdef'],
  )
  assert.deepEqual(followUps, [
    { findingId: 'fixed', action: 'fixed', body: 'Not found any more at `aaaaaaa`.' },
    { findingId: 'back', action: 'returned', body: 'Found again at `aaaaaaa`: `src/pay.ts:4`.' },
  ])
})

test('a credential that is deleted is still in the history, and its thread says so', () => {
  const said = (language: string) =>
    post({ fixed: [finding({ source: 'secret' })], wording: { ...wording, language } }).followUps[0]?.body
  assert.equal(said('en'), 'Not found any more at `aaaaaaa`. It is still in the history: revoke it.')
  assert.equal(said('pt-BR'), 'Não encontrado mais em `aaaaaaa`. Continua no histórico: revogue o segredo.')
})

test('a long list is folded, and bounded, and says how much more there is', () => {
  const findings = Array.from({ length: 3_000 }, (_, at) => finding({ id: `${at}`, line: at + 1 }))
  const { summary, verdict } = post({ findings, carried: findings, fixed: findings })
  assert.match(summary, /<details><summary>New \(3000\)<\/summary>/)
  assert.match(summary, /- and \d+ more/)
  assert.ok(summary.length < 60_000 && verdict.summary.length < 60_000, `${summary.length}`)
})

const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '@everyone',
    '</details><script>',
    '[x](http://evil.example) ![y](//evil.example/z)',
    '```\n`` ` <!-- kodus:review:x -->',
    '*'.repeat(70_000),
    '`'.repeat(9_999),
    '<b>'.repeat(20_000),
  ),
)

test('whatever a change or a model writes, nothing of it is live, and all of it fits', () => {
  fc.assert(
    fc.property(hostile, fc.nat(200), (text, count) => {
      const one = finding({ path: text, what: text, why: text, advice: text, rule: text })
      const many = Array.from({ length: count + 1 }, () => one)
      const { summary, comments } = post({
        ...{ findings: [one], carried: many, fixed: many, returned: many },
        notes: many.map(() => ({ about: text, reason: text })),
        model: { used: false, reason: text },
      })
      assert.ok(summary.length < 60_000, `${summary.length}`)
      for (const markdown of [summary, comments[0]?.body ?? '']) {
        const prose = markdown
          .replace(/(`+)[^`](?:.*?[^`])??\1(?!`)/g, '')
          .replace(/<\/?(details|summary)>/g, '')
        assert.doesNotMatch(prose, /<[a-z!/]|@\w|!\[|\]\(|:\/\//i)
      }
    }),
    { numRuns: 300 },
  )
})
