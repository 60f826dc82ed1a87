import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { recordIntent } from '../../src/store/record-intent.ts'
import type { MovedJob } from '../../src/store/transition-job.ts'
import { runJob } from '../../src/worker/run-job.ts'
import { whySuperseded } from '../../src/worker/why-superseded.ts'
import { githubDescription } from '../github/server.ts'
import { claimJob } from '../support/claim-job.ts'
import { FLAWED, startGitHubWorker } from './github-worker.ts'

const skip = await githubDescription()

/** A pull request of mona's whose review is claimed. */
async function aClaimedReview(t: TestContext) {
  const worker = await startGitHubWorker(t)
  const { shop, db, github, receive, runner } = worker
  shop.commit('feature', FLAWED, { by: 'mona' })
  const pull = shop.openPullRequest({ head: 'feature', author: 'mona' })
  const [opened] = await receive()
  const job = await claimJob(db, opened?.jobId ?? '', runner.worker)
  assert.ok(job)
  const why = async (of: MovedJob = job) => {
    const reason = await whySuperseded(of, runner, new AbortController().signal)
    return reason && [reason.code, reason.message]
  }
  const looks = () => github.requests.filter(({ path }) => path.endsWith('/pulls/1')).length
  return { ...worker, pull, job, why, looks }
}

test('while webhooks tell of nothing new, a review is wanted, and the forge is not asked', {
  skip,
}, async (t) => {
  const { why, looks } = await aClaimedReview(t)
  assert.equal(await why(), undefined)
  assert.equal(looks(), 0)
})

test('a newer head supersedes a review', { skip }, async (t) => {
  const { pull, receive, why } = await aClaimedReview(t)
  const newer = pull.push({ 'b.py': 'b = 1\n' }, { by: 'mona' })
  await receive()
  assert.deepEqual(await why(), ['SUPERSEDED', `The pull request has moved on to ${newer}.`])
})

for (const end of ['close', 'merge'] as const) {
  test(`to ${end} a pull request cancels its review`, { skip }, async (t) => {
    const { pull, receive, why } = await aClaimedReview(t)
    pull[end]('mona')
    await receive()
    const state = { close: 'closed', merge: 'merged' }[end]
    assert.deepEqual(await why(), ['PULL_REQUEST_CLOSED', `The pull request is ${state}.`])
  })
}

test('a job that waits while its pull request is closed is cancelled when it is claimed, and says why', {
  skip,
}, async (t) => {
  const { shop, receive, run, outcomes, lastReason, jobs, read } = await startGitHubWorker(t)
  shop.commit('feature', FLAWED, { by: 'mona' })
  const pull = shop.openPullRequest({ head: 'feature', author: 'mona' })
  await receive()
  pull.close('mona')
  await receive()
  await run()
  assert.deepEqual(await outcomes(), ['code-review CANCELLED'])
  const [job] = await jobs()
  assert.match((await lastReason(job?.id ?? '')) ?? '', /The pull request is closed/)
  assert.equal((await read(job?.id ?? ''))?.error?.code, 'PULL_REQUEST_CLOSED')

  pull.reopen('mona')
  await receive()
  await run()
  assert.deepEqual(await outcomes(), ['code-review CANCELLED', 'code-review COMPLETED'])
  assert.equal(pull.reviews().length, 1)
})

test('an older head that was told last, in the same second, supersedes nothing: the forge is asked', {
  skip,
}, async (t) => {
  const { github, db, pull, receive, why, runner, looks } = await aClaimedReview(t)
  github.clock.freeze()
  const older = pull.head()
  pull.push({ 'b.py': 'b = 1\n' }, { by: 'mona' })
  const [pushed] = await receive()
  const job = await claimJob(db, pushed?.jobId ?? '', runner.worker)
  assert.ok(job)
  await db.query('update pull_requests set head = $1', [older])
  assert.equal(await why(job), undefined)
  assert.equal(looks(), 1)
  assert.equal(await why(job), undefined)
  assert.equal(looks(), 1, 'what it said is remembered')
})

test('what has begun to be posted is wanted, whatever becomes of the pull request', { skip }, async (t) => {
  const { db, pull, job, receive, why } = await aClaimedReview(t)
  const { granted } = await recordIntent(db, job, { base: 'a', head: pull.head() }, { findings: [] })
  assert.ok(granted)
  pull.close('mona')
  await receive()
  assert.equal(await why(), undefined)
})

test('a push to a draft supersedes the review of what was there before', { skip }, async (t) => {
  const { pull, receive, why, run, outcomes, job, runner } = await aClaimedReview(t)
  pull.convertToDraft('mona')
  await receive()
  assert.equal(await why(), undefined, 'the head is the same')
  const newer = pull.push({ 'b.py': 'b = 1\n' }, { by: 'mona' })
  await receive()
  assert.deepEqual(await why(), ['SUPERSEDED', `The pull request has moved on to ${newer}.`])

  await runJob(job, runner)
  pull.markReady('mona')
  await receive()
  await run()
  assert.deepEqual(
    pull.reviews().map(({ commit_id }) => commit_id),
    [newer],
  )
  assert.deepEqual((await outcomes()).slice(0, 2), ['code-review SUPERSEDED', 'code-review COMPLETED'])
})

test('however often a branch is forced back and forth, and though half of the webhooks are lost, its head is reviewed', {
  skip,
}, async (t) => {
  const { shop, receive, run, outcomes } = await startGitHubWorker(t)
  const first = shop.commit('feature', FLAWED, { by: 'mona' })
  const pull = shop.openPullRequest({ head: 'feature', author: 'mona' })
  const second = shop.commit('other', { 'b.py': 'def b(x=[]):\n    return x\n' }, { by: 'mona' })
  await receive()
  for (let round = 1; round <= 3; round++) {
    pull.resetTo(second, 'mona')
    await receive()
    pull.resetTo(first, 'mona')
    await receive(() => []) // Lost.
    await run()
    const [check] = shop.checkRuns(first)
    assert.deepEqual([check?.status, check?.output.title], ['completed', '1 finding open (1 medium)'])
  }
  assert.deepEqual(
    pull.reviews().map(({ commit_id }) => commit_id),
    [first],
  )
  assert.ok((await outcomes()).every((outcome) => /COMPLETED|SUPERSEDED/.test(outcome)))
})

test('a head that was asked for, and came to nothing, is asked for again when it is the head again', {
  skip,
}, async (t) => {
  const { pull, shop, db, runner, receive, why, jobs } = await aClaimedReview(t)
  const first = pull.head()
  const other = shop.commit('other', { 'b.py': 'b = 1\n' }, { by: 'mona' })
  const requested = async () =>
    (await jobs()).filter((job) => job.type === 'code-review' && job.payload.action === 'observed')
  const back = async (job: MovedJob) => {
    // Its webhook is lost: only that something is different is known.
    await receive(() => [])
    await db.query(`update pull_requests set head = 'unknown', updated_at = '2020-01-01'`)
    await why(job)
  }
  const pushed = async () => {
    pull.resetTo(other, 'mona')
    const [told] = await receive()
    const job = await claimJob(db, told?.jobId ?? '', runner.worker)
    assert.ok(job)
    return job
  }
  const end = () =>
    db.query(`update workflow_jobs set status = 'SUPERSEDED', due_at = null where status <> 'SUPERSEDED'`)

  for (const count of [1, 2, 3]) {
    const job = await pushed()
    await db.query(`update workflow_jobs set status = 'SUPERSEDED' where id <> $1`, [job.id])
    pull.resetTo(first, 'mona')
    await back(job)
    await back(job)
    assert.equal((await requested()).length, count)
    await end()
  }
})

test('a forge that does not answer ends nothing', { skip }, async (t) => {
  const { github, pull, receive, why } = await aClaimedReview(t)
  pull.close('mona')
  await receive()
  github.fail({ path: /\/pulls\/1$/, times: 4, with: { status: 500 } })
  await assert.rejects(why(), { code: 'GITHUB_UNAVAILABLE' })
})
