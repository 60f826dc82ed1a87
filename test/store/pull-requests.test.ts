import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PullRequestState, ReviewRequest } from '../../src/jobs/review-request.ts'
import type { DatabasePool } from '../../src/store/database.ts'
import { dismissFinding } from '../../src/store/dismiss-finding.ts'
import { findReviewsOf } from '../../src/store/find-reviews-of.ts'
import { holdPullRequest } from '../../src/store/hold-pull-request.ts'
import { installationKey } from '../../src/store/installation-key.ts'
import { observePullRequest } from '../../src/store/observe-pull-request.ts'
import { recallReviews } from '../../src/store/recall-reviews.ts'
import { recordDeliveries } from '../../src/store/record-deliveries.ts'
import { findIntent, recordIntent } from '../../src/store/record-intent.ts'
import { recordPosted } from '../../src/store/record-posted.ts'
import { type MovedJob, transitionJob } from '../../src/store/transition-job.ts'
import { claimJob } from '../support/claim-job.ts'
import { createDatabase } from '../support/database.ts'
import { aCommand, aDelivery } from '../support/deliveries.ts'

const PULL = { repository: 'octo/shop', pullRequest: '7' }

function seen(over: Partial<PullRequestState> & { updatedAt?: string } = {}) {
  const updatedAt = '2026-01-01T00:00:00Z'
  return { ...PULL, head: '1'.repeat(40), state: 'open', draft: false, updatedAt, ...over } as const
}

async function aRunningJob(db: DatabasePool, request: Partial<ReviewRequest> = {}): Promise<MovedJob> {
  const delivery = aDelivery({ forge: 'github', request: { ...PULL, ...request }, pullRequest: {} })
  await recordDeliveries(db, [delivery], 0)
  const job = await claimJob(db, delivery.jobId, 'worker')
  assert.ok(job)
  return job
}

async function post(
  db: DatabasePool,
  job: MovedJob,
  review: { head: string; findings: object[]; baseBranch?: string },
) {
  const intent = await recordIntent(db, job, { base: 'a', head: review.head }, review)
  assert.ok(intent.granted)
  assert.ok(await recordPosted(db, job, null))
}

test('what the forge is seen to say counts when it is as new as what is known, and not when it is older', async (t) => {
  const { pool: db } = await createDatabase(t)
  const headAfter = async (over: object) => (await observePullRequest(db, 'github', seen(over))).head[0]
  assert.equal(await headAfter({}), '1')
  assert.equal(await headAfter({ head: '2'.repeat(40) }), '2')
  assert.equal(await headAfter({ head: '3'.repeat(40), updatedAt: '2025-12-31T23:59:59Z' }), '2')
  assert.deepEqual(await observePullRequest(db, 'github', seen({ head: '4'.repeat(40), state: 'merged' })), {
    head: '4'.repeat(40),
    state: 'merged',
    hold: null,
  })
})

test('a pull request stays on hold, whatever the forge tells of it, until a person says otherwise', async (t) => {
  const { pool: db } = await createDatabase(t)
  const [pause, resume] = [aCommand({ command: 'pause' }), aCommand({ command: 'resume' })]
  await observePullRequest(db, 'github', seen())
  await recordDeliveries(db, [pause], 0)
  await recordDeliveries(db, [resume], 0)

  assert.equal(await holdPullRequest(db, pause.jobId, 'paused'), true)
  const later = seen({ head: '2'.repeat(40), updatedAt: '2026-02-01T00:00:00Z' })
  assert.equal((await observePullRequest(db, 'github', later)).hold, 'paused')
  assert.equal(await holdPullRequest(db, resume.jobId, null), true)
  assert.equal((await observePullRequest(db, 'github', later)).hold, null)
  assert.equal(await holdPullRequest(db, pause.jobId, 'paused'), false, 'the older command, tried again')
  assert.equal((await observePullRequest(db, 'github', later)).hold, null)
})

test('recalled are the newest review, every finding ever posted, and what was dismissed', async (t) => {
  const { pool: db } = await createDatabase(t)
  const first = await aRunningJob(db)
  await post(db, first, {
    head: 'h1',
    findings: [
      { id: 'a', line: 1 },
      { id: 'b', line: 2 },
    ],
  })
  const second = await aRunningJob(db)
  await post(db, second, {
    head: 'h2',
    findings: [
      { id: 'a', line: 9 },
      { id: 'c', line: 3 },
    ],
  })
  await dismissFinding(db, 'github', PULL, { id: 'b', dismissedBy: 'mona' })
  await dismissFinding(db, 'github', PULL, { id: 'b', dismissedBy: 'lisa' })
  // None of these was posted about this pull request.
  const elsewhere = await aRunningJob(db, { pullRequest: '8' })
  await post(db, elsewhere, { head: 'h3', findings: [{ id: 'd' }] })
  await dismissFinding(db, 'github', { ...PULL, pullRequest: '8' }, { id: 'a', dismissedBy: 'mona' })
  const failed = await aRunningJob(db)
  await recordIntent(db, failed, { base: 'a', head: 'h4' }, { findings: [{ id: 'e' }] })
  await transitionJob(db, 'fail', { jobId: failed.id, fence: failed.fence, actor: 'test', reason: 'test' })

  const recalled = await recallReviews<{ head: string; carried: [] }, { id: string; line: number }>(
    db,
    await aRunningJob(db),
  )
  assert.equal(recalled.last?.jobId, second.id)
  assert.equal(recalled.last?.review.head, 'h2')
  assert.deepEqual(recalled.last?.review.carried, [], 'what an older version did not store has its default')
  assert.deepEqual([...recalled.said].map(([id, finding]) => [id, finding.line]).sort(), [
    ['a', 9],
    ['b', 2],
    ['c', 3],
  ])
  assert.deepEqual([...recalled.dismissed], ['b'])
})

test('what another job has committed to and not yet posted is recalled, and is older than what came after it', async (t) => {
  const { pool: db } = await createDatabase(t)
  const first = await aRunningJob(db)
  await recordIntent(db, first, { base: 'a', head: 'h1' }, { head: 'h1', findings: [{ id: 'a' }] })
  const recalled = await recallReviews(db, await aRunningJob(db))
  assert.deepEqual([recalled.last?.jobId, [...recalled.said.keys()]], [first.id, ['a']])

  assert.equal((await findIntent(db, first))?.outdated, false)
  const second = await aRunningJob(db)
  await post(db, second, { head: 'h2', findings: [{ id: 'b' }] })
  assert.equal((await findIntent(db, first))?.outdated, true)
  assert.equal((await findIntent(db, second))?.outdated, false)
  assert.ok(await recordPosted(db, first, null))
  assert.equal((await recallReviews(db, await aRunningJob(db))).last?.jobId, second.id)
})

test('a second attempt does not recall what its own run has posted', async (t) => {
  const { pool: db } = await createDatabase(t)
  const job = await aRunningJob(db)
  await post(db, job, { head: 'h1', findings: [{ id: 'a' }] })
  const recalled = await recallReviews(db, job)
  assert.deepEqual([recalled.last, recalled.said.size], [undefined, 0])
  assert.equal((await recallReviews(db, { id: job.id, run: 2 })).last?.jobId, job.id, 'a replay does')
})

test('a request without a pull request recalls nothing', async (t) => {
  const { pool: db } = await createDatabase(t)
  const first = await aRunningJob(db, { pullRequest: null })
  await post(db, first, { head: 'h1', findings: [{ id: 'a' }] })
  const recalled = await recallReviews(db, await aRunningJob(db, { pullRequest: null }))
  assert.deepEqual([recalled.last, recalled.said.size, recalled.dismissed.size], [undefined, 0, 0])
})

test('how far the review of a head has come', async (t) => {
  const { pool: db } = await createDatabase(t)
  const head = 'e'.repeat(40)
  const reviews = () => findReviewsOf(db, 'github', { ...PULL, head })
  assert.deepEqual(await reviews(), { asked: false, underWay: false, posted: false })

  const superseded = await aRunningJob(db, { head })
  await transitionJob(db, 'supersede', { jobId: superseded.id, actor: 'test', reason: 'test' })
  assert.deepEqual(await reviews(), { asked: false, underWay: false, posted: false })

  const cancel = async (code: string) => {
    const { id: jobId } = await aRunningJob(db, { head })
    const error = { code, message: 'test', help: 'test' }
    await transitionJob(db, 'cancel', { jobId, actor: 'test', reason: 'test', error })
    return jobId
  }
  await cancel('PULL_REQUEST_CLOSED')
  assert.equal((await reviews()).asked, false, 'closing asks for nothing, and refuses nothing')
  const byPerson = await cancel('TEST')
  assert.equal((await reviews()).asked, true, 'a person did not want it')
  await db.query('delete from workflow_jobs where id = $1', [byPerson])

  const job = await aRunningJob(db, { head })
  assert.deepEqual(await reviews(), { asked: true, underWay: true, posted: false })
  await post(db, job, { head, findings: [], baseBranch: 'main' })
  await transitionJob(db, 'complete', { jobId: job.id, fence: job.fence, actor: 'test', reason: 'test' })
  assert.deepEqual(await reviews(), { asked: true, underWay: false, posted: true })

  const retargeted = { ...PULL, head, baseBranch: 'next' }
  assert.equal((await findReviewsOf(db, 'github', retargeted)).posted, false, 'for another base branch')

  const next = await aRunningJob(db, { head: 'f'.repeat(40) })
  assert.equal((await reviews()).posted, true, 'another job alone changes nothing')
  await post(db, next, { head: 'f'.repeat(40), findings: [] })
  assert.deepEqual(
    await reviews(),
    { asked: false, underWay: false, posted: false },
    'pushed back to after the review of another head, it is new again',
  )
})

test('an installation has one key of each name, however many processes ask for it first', async (t) => {
  const { pool: db } = await createDatabase(t)
  const keys = await Promise.all(Array.from({ length: 10 }, () => installationKey(db, 'markers')))
  assert.equal(keys[0]?.length, 32)
  assert.equal(new Set(keys.map((key) => key.toString('hex'))).size, 1)
  assert.notDeepEqual(await installationKey(db, 'another'), keys[0])
})
