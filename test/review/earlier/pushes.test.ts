import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Change } from '../../../src/forges/change.ts'
import { newDraft } from '../../../src/review/draft.ts'
import { findingId } from '../../../src/review/finding-id.ts'
import type { Finding, Review } from '../../../src/review/review.ts'
import type { Stage } from '../../../src/review/stage.ts'
import { proceed } from '../../../src/review/stage.ts'
import { publish } from '../../../src/review/stages/publish.ts'
import { recall } from '../../../src/review/stages/recall.ts'
import { selectFiles } from '../../../src/review/stages/select-files.ts'
import { verifyFindings } from '../../../src/review/stages/verify-findings.ts'
import { changedFile } from '../../support/diff-lines.ts'
import { memoryPorts, reviewRequest } from '../../support/memory-ports.ts'

/** A commit: the lines of the one file that the pull request adds. */
type Commit = readonly string[]

const PATH = 'a.ts'

/** Stands for the rules: every line that begins with `bad` is a mistake, with ids as the rules make them. */
const findBadLines: Stage = {
  name: 'analyse',
  async run(draft) {
    for (const { path, text, touched } of draft.files) {
      const seen = new Map<string, number>()
      for (const [at, line] of text.split('\n').entries()) {
        if (!line.startsWith('bad')) continue
        const before = seen.get(line) ?? 0
        seen.set(line, before + 1)
        if (touched.has(at + 1))
          draft.findings.push(badLine(path, at + 1, findingId('rule/bad', path, line, before)))
      }
    }
    return proceed
  },
}

function badLine(path: string, line: number, id: string): Finding {
  const words = { what: 'Bad.', why: '', advice: '' }
  return { id, source: 'rule', rule: 'rule/bad', path, line, endLine: line, severity: 'high', ...words }
}

/** A pull request whose heads are pushed one after the other, each reviewed. */
function pullRequest({ forgetful = false } = {}) {
  const { ports, posted, dismissed } = memoryPorts()
  const commits = new Map<string, Commit>()
  const push = async (
    lines: Commit,
    options: { force?: boolean } = {},
  ): Promise<Review | 'already reviewed'> => {
    const head = findingId('commit', '', lines.join('\n')).padEnd(40, '0')
    commits.set(head, lines)
    const draft = newDraft({ ...reviewRequest, head, ...options })
    const change: Change = {
      ...{ repository: 'acme/shop', base: 'b'.repeat(40), head, mergeBase: 'b'.repeat(40), title: '' },
      ...{ description: '', fetchedBytes: 0, files: [changedFile(PATH, [], lines)] },
    }
    const text = lines.join('\n')
    if ((await recall.run(draft, ports)).did === 'finish') return 'already reviewed'
    draft.source = {
      change,
      readFile: async () => text,
      async changedSince(commit) {
        const before = forgetful ? undefined : commits.get(commit)
        if (!before) return undefined
        return commit === head ? [] : [changedFile(PATH, before, lines)]
      },
      close: async () => {},
    }
    for (const stage of [selectFiles, findBadLines, verifyFindings, publish]) await stage.run(draft, ports)
    return posted.at(-1)?.review ?? assert.fail('posted')
  }
  return { push, posted, dismissed }
}

const badLinesOf = (lines: Commit) => lines.flatMap((text, at) => (text.startsWith('bad') ? [at + 1] : []))
const openLinesOf = ({ findings, carried, returned }: Review) =>
  [...findings, ...carried, ...returned].map(({ line }) => line).sort((a, b) => a - b)
/** What a person may do to the head: put lines somewhere, take some away, or go back to an earlier head. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      at: fc.nat(12),
      remove: fc.nat(3),
      insert: fc.array(fc.constantFrom('bad 1', 'bad 2', 'bad', 'ok', ''), { maxLength: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ backTo: fc.nat(8) }) },
  { weight: 1, arbitrary: fc.record({ force: fc.constant(true) }) },
)

const history = fc.array(step, { minLength: 2, maxLength: 10 })

async function play(
  steps: typeof history extends fc.Arbitrary<infer Steps> ? Steps : never,
  forgetful: boolean,
) {
  const { push, posted } = pullRequest({ forgetful })
  const heads: Commit[] = [['ok', 'bad 1', 'ok', 'bad', 'ok']]
  const said = new Set<string>()
  let head = heads[0] ?? []
  let reviewed = 0
  for (const step of [undefined, ...steps]) {
    if (step && 'backTo' in step) head = heads[step.backTo % heads.length] ?? head
    else if (step && 'insert' in step) head = head.toSpliced(step.at, step.remove, ...step.insert)
    heads.push(head)
    const review = await push(head, step && 'force' in step ? { force: true } : {})
    if (review === 'already reviewed') continue
    reviewed++
    assert.equal(posted.length, reviewed)
    assert.deepEqual(openLinesOf(review), badLinesOf(head), `open: ${JSON.stringify(review, null, 1)}`)
    for (const { id } of review.findings) {
      assert.ok(!said.has(id), 'no thread is opened twice')
      said.add(id)
    }
    for (const { id } of [...review.carried, ...review.fixed, ...review.returned]) {
      assert.ok(said.has(id), 'what is told to be known was said')
    }
    const ids = [...review.findings, ...review.carried, ...review.fixed, ...review.returned].map(
      ({ id }) => id,
    )
    assert.equal(new Set(ids).size, ids.length, 'each finding is in one state')
  }
}

test('over any pushes, force-pushes back and reviews by force: what is open is what is wrong, each said once', async () => {
  await fc.assert(
    fc.asyncProperty(history, (steps) => play(steps, false)),
    { numRuns: 1_000 },
  )
})

test('at a forge that forgets every old head, that is still so', async () => {
  await fc.assert(
    fc.asyncProperty(history, (steps) => play(steps, true)),
    { numRuns: 500 },
  )
})

const START = ['ok', 'bad 1', 'ok', 'bad 2', 'ok']

/** What a review says, as lines of its head. */
function told(review: Review | 'already reviewed') {
  if (review === 'already reviewed') return review
  const lines = (list: Finding[]) => list.map(({ line }) => line)
  const { findings, carried, fixed, returned } = review
  return { new: lines(findings), open: lines(carried), fixed: lines(fixed), back: lines(returned) }
}

test('a push says what it adds, and nothing again', async () => {
  const { push } = pullRequest()
  assert.deepEqual(told(await push(START)), { new: [2, 4], open: [], fixed: [], back: [] })
  assert.deepEqual(told(await push(['bad 3', ...START])), { new: [1], open: [3, 5], fixed: [], back: [] })
})

test('code that is gone is fixed; a force-push back brings its finding back, under the id of its thread', async () => {
  const { push } = pullRequest()
  const first = (await push(START)) as Review
  const second = (await push(START.with(1, 'good'))) as Review
  assert.deepEqual(told(second), { new: [], open: [4], fixed: [2], back: [] })
  const third = (await push(START)) as Review
  assert.deepEqual(told(third), { new: [], open: [4], fixed: [], back: [2] })
  assert.deepEqual(
    [second.fixed[0]?.id, third.returned[0]?.id],
    [first.findings[0]?.id, first.findings[0]?.id],
  )
})

test('an edit that leaves a mistake in its place is no news, and neither is the push after it', async () => {
  const { push } = pullRequest()
  const first = (await push(START)) as Review
  const edited = (await push(START.with(1, 'bad 1, edited'))) as Review
  assert.deepEqual(told(edited), { new: [], open: [2, 4], fixed: [], back: [] })
  assert.equal(edited.carried[0]?.id, first.findings[0]?.id)
  assert.deepEqual(told(await push(['ok', ...START.with(1, 'bad 1, edited')])), {
    ...{ new: [], open: [3, 5], fixed: [], back: [] },
  })
})

test('a copy of an open mistake, put above it, is said; the open one stays what it is', async () => {
  const { push } = pullRequest()
  await push(START)
  assert.deepEqual(told(await push(['bad 1', ...START])), { new: [1], open: [3, 5], fixed: [], back: [] })
})

test('a mistake that was moved is the same one', async () => {
  const { push } = pullRequest()
  await push(['bad 1', '1', '2', '3', '4', '5'])
  assert.deepEqual(told(await push(['1', '2', '3', '4', '5', 'bad 1'])), {
    new: [],
    open: [6],
    fixed: [],
    back: [],
  })
})

test('a pull request reopened at the same head is not reviewed again; by force it is, and says nothing twice', async () => {
  const { push, posted } = pullRequest()
  await push(START)
  assert.equal(await push(START), 'already reviewed')
  assert.equal(posted.length, 1)
  const forced = (await push(START, { force: true })) as Review
  assert.deepEqual([told(forced), forced.since], [{ new: [], open: [2, 4], fixed: [], back: [] }, null])
})

test('what a person dismissed is not open, and does not come back by an edit, a copy or a force-push', async () => {
  const { push, dismissed } = pullRequest()
  const first = (await push(START)) as Review
  dismissed.add(first.findings[0]?.id ?? '')
  assert.deepEqual(told(await push([...START, 'ok'])), { new: [], open: [4], fixed: [], back: [] })
  assert.deepEqual(told(await push(START.with(1, 'bad 1, edited'))), {
    new: [],
    open: [4],
    fixed: [],
    back: [],
  })
  assert.deepEqual(told(await push(START.with(1, 'good'))), { new: [], open: [4], fixed: [], back: [] })
  assert.deepEqual(told(await push(START)), { new: [], open: [4], fixed: [], back: [] })
})

test('only what changed is read, and what was read before is counted', async () => {
  const { push } = pullRequest()
  await push(START)
  const review = (await push(START.toSpliced(4, 1))) as Review
  assert.deepEqual(review.files, { changed: 1, reviewed: 0, secretsOnly: 0, unchanged: 1 })
  assert.equal(review.since?.length, 40)
})

test('when the forge has forgotten the last head, the whole change is read, and that is said', async () => {
  const { push } = pullRequest({ forgetful: true })
  await push(START)
  const review = (await push(['bad 3', ...START])) as Review
  assert.deepEqual(told(review), { new: [1], open: [3, 5], fixed: [], back: [] })
  assert.equal(review.since, null)
  assert.match(JSON.stringify(review.notes), /does not have it any more/)
})
