import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createLocalReader } from '../../src/forges/git/client.ts'
import type { ReviewRequest } from '../../src/jobs/review-request.ts'
import { silentLog } from '../../src/lib/log.ts'
import { PIPELINE, runPipeline } from '../../src/review/pipeline.ts'
import type { Review } from '../../src/review/review.ts'
import type { ReviewPorts } from '../../src/review/stage.ts'
import { memoryPorts, pullRequests, reviewRequest } from '../support/memory-ports.ts'
import { makeRepository } from '../support/repository.ts'

function setUp(t: TestContext, code = 'items.forEach(async (item) => { await save(item) })\n') {
  const { path, base, head } = makeRepository(t, {
    base: { 'a.ts': 'x\n' },
    head: { 'a.ts': code },
  })
  const memory = memoryPorts()
  const stages: string[] = []
  const ports: ReviewPorts = {
    ...memory.ports,
    forge: { ...memory.ports.forge, reader: createLocalReader(path) },
    progress: async (stage) => void stages.push(stage),
  }
  const request: ReviewRequest = { ...reviewRequest, base, head }
  const run = (with_: Partial<ReviewPorts> = {}, asked: Partial<ReviewRequest> = {}) =>
    runPipeline({ ...request, ...asked }, { ...ports, ...with_ }, silentLog)
  return { ...memory, ports, run, stages, base, head }
}

test('a request goes through every stage and ends as the review that was posted', async (t) => {
  const { run, stages, posted } = setUp(t)
  const result = await run()
  assert.ok(result.did === 'review')
  assert.deepEqual(
    stages,
    PIPELINE.map(({ name }) => name),
  )
  assert.equal(result.review.findings.length, 1)
  assert.deepEqual(
    posted[0]?.postable.comments.map(({ id }) => id),
    [result.review.findings[0]?.id],
  )
})

test('a stage that finishes ends the pipeline: nothing is fetched, nothing is posted', async (t) => {
  const { run, ports, stages, posted, head } = setUp(t)
  const reader = { open: () => assert.fail('fetched') }
  const outsiders = pullRequests({ head }, { canWrite: async () => false })
  const result = await run({ forge: { ...ports.forge, reader, pullRequests: outsiders } })
  assert.ok(result.did === 'finish' && result.verdict?.conclusion === 'neutral')
  assert.deepEqual([stages, posted], [['admit'], []])
})

test('a review says a hundred findings at most, and how many it left out; asked by force, it goes on', async (t) => {
  const code = Array.from({ length: 120 }, (_, at) => `items.forEach(async () => { await save(${at}) })`)
  const { run } = setUp(t, `${code.join('\n')}\n`)
  const first = await run()
  assert.ok(first.did === 'review')
  assert.equal(first.review.findings.length, 100)
  assert.match(JSON.stringify(first.review.notes), /20 more are not shown/)
  const second = await run({}, { force: true })
  assert.ok(second.did === 'review')
  assert.deepEqual([second.review.findings.length, second.review.carried.length], [20, 100])
})

test('a head that was reviewed is not reviewed again, which costs and shows nothing', async (t) => {
  const { run, posted, head } = setUp(t)
  await run()
  const reopened = await run()
  assert.deepEqual(reopened, {
    did: 'finish',
    reason: `already reviewed at ${head.slice(0, 12)}`,
    verdict: null,
  })
  assert.equal(posted.length, 1)
  assert.equal((await run({}, { force: true })).did, 'review')
})

test('what an earlier attempt committed to is posted without a look at anything else', async (t) => {
  const { run, ports, posted } = setUp(t)
  await run()
  const review = posted[0]?.review
  assert.ok(review)
  const forge = { ...ports.forge, pullRequests: pullRequests({}, { get: () => assert.fail('asked') }) }
  const again = await run({ forge, committed: async () => ({ review, posted: false, outdated: true }) })
  assert.deepEqual(again, { did: 'review', review })
  assert.deepEqual(
    posted.map(({ postable }) => postable.summary === null),
    [false, true],
    'the newer review writes the summary',
  )
  await run({ forge, committed: async () => ({ review, posted: true, outdated: false }) })
  assert.equal(posted.length, 2)
})

test("what an earlier attempt committed to is posted, not this attempt's review", async (t) => {
  const { run, posted, ports } = setUp(t)
  let intended: Review | undefined
  const intend: ReviewPorts['intend'] = async (review) => {
    await ports.intend(review)
    intended = { ...review, notes: [{ about: 'earlier', reason: 'attempt' }] }
    return { review: intended, posted: false }
  }
  const result = await run({ intend })
  assert.ok(result.did === 'review')
  assert.equal(result.review, intended)
  assert.match(posted[0]?.postable.summary ?? '', /`earlier`: attempt/)
})

test('what an earlier attempt has posted is not posted again', async (t) => {
  const { run, posted } = setUp(t)
  const result = await run({ intend: async (review) => ({ review, posted: true }) })
  assert.ok(result.did === 'review')
  assert.equal(posted.length, 0)
})

test('where it is posted is recorded, found there or new', async (t) => {
  const { run, ports } = setUp(t)
  const urls: (string | null)[] = []
  for (const adopted of [false, true]) {
    const url = `https://forge.example/${adopted}`
    const poster = { post: async () => ({ url, adopted, unplaced: 0 }) }
    await run({ forge: { ...ports.forge, poster }, posted: async (url) => void urls.push(url) })
  }
  assert.deepEqual(urls, ['https://forge.example/false', 'https://forge.example/true'])
})

test('the change is closed however the pipeline ends', async (t) => {
  const { run, ports } = setUp(t)
  let open = 0
  const reader: ReviewPorts['forge']['reader'] = {
    async open(request, signal) {
      const source = await ports.forge.reader.open(request, signal)
      open++
      return {
        ...source,
        async close() {
          open--
          await source.close()
        },
      }
    },
  }
  await run({ forge: { ...ports.forge, reader } })
  assert.equal(open, 0)
  const poster = { post: () => Promise.reject(new Error('the forge is down')) }
  await assert.rejects(
    run({ forge: { ...ports.forge, reader, poster } }, { force: true }),
    /the forge is down/,
  )
  assert.equal(open, 0)
})

test('a review has what its words depend on, so that a later attempt words it alike', async (t) => {
  const { path, base } = makeRepository(t, {
    base: {
      'kodus-config.yml': 'language: pt-BR\nenableCommittableSuggestions: false\nchecks: { failOn: high }\n',
    },
    head: { 'a.ts': 'items.forEach(async (item) => { await save(item) })\n' },
  })
  const { ports, posted } = memoryPorts()
  const forge = { ...ports.forge, reader: createLocalReader(path) }
  await runPipeline({ ...reviewRequest, base, head: 'main' }, { ...ports, forge }, silentLog)
  assert.deepEqual(posted[0]?.review.wording, { language: 'pt-BR', failOn: 'high', suggestions: false })
  assert.match(posted[0]?.postable.summary ?? '', /^### Revisão de/)
})
