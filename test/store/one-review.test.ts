import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ReviewRequest } from '../../src/jobs/review-request.ts'
import type { DatabasePool } from '../../src/store/database.ts'
import { findOlderTwin } from '../../src/store/find-older-twin.ts'
import { lapseLeases } from '../../src/store/lapse-leases.ts'
import { putStop } from '../../src/store/put-stop.ts'
import { recordDeliveries } from '../../src/store/record-deliveries.ts'
import { recordIntent } from '../../src/store/record-intent.ts'
import { recordPosted } from '../../src/store/record-posted.ts'
import { type MovedJob, transitionJob } from '../../src/store/transition-job.ts'
import { claimJob } from '../support/claim-job.ts'
import { createDatabase } from '../support/database.ts'
import { aDelivery } from '../support/deliveries.ts'
import { pausingBefore, untilSomebodyWaits } from './transactions.ts'

const HEAD = 'b'.repeat(40)
const REVIEW = { base: 'a'.repeat(40), head: HEAD, baseBranch: 'main' }

/** A job for the same commit of the same pull request as any other of these. */
async function aTwin(db: DatabasePool, request: Partial<ReviewRequest> = {}): Promise<string> {
  const delivery = aDelivery({
    forge: 'github',
    request: { repository: 'octo/shop', pullRequest: '7', head: HEAD, baseBranch: 'main', ...request },
    pullRequest: { updatedAt: '2026-01-01T00:00:00Z' },
  })
  await recordDeliveries(db, [delivery], 0)
  return delivery.jobId
}

async function aRunningTwin(db: DatabasePool, request: Partial<ReviewRequest> = {}): Promise<MovedJob> {
  const job = await claimJob(db, await aTwin(db, request), 'worker')
  assert.ok(job)
  return job
}

async function intend(db: DatabasePool, job: MovedJob, review: object = REVIEW) {
  const intent = await recordIntent(db, job, REVIEW, review)
  return intent.granted ? 'granted' : intent.because
}

test('of many jobs that want to post a review of the same commit at once, one may', async (t) => {
  const { pool: db } = await createDatabase(t)
  for (let round = 1; round <= 10; round++) {
    const over = { pullRequest: `${round}` }
    const jobs = await Promise.all(Array.from({ length: 5 }, () => aRunningTwin(db, over)))
    const answers = await Promise.all(jobs.map((job) => intend(db, job)))
    assert.deepEqual(answers.sort(), [...Array(4).fill('already-reviewed'), 'granted'], `round ${round}`)
  }
  assert.equal((await db.query('select from reviews')).rowCount, 10)
})

test('an intent that waits for another one to be committed sees it, and names its job', async (t) => {
  const { pool: db } = await createDatabase(t)
  const [first, second] = [await aRunningTwin(db), await aRunningTwin(db)]
  const { pool, reached, goOn } = pausingBefore(db, 'commit')
  const posting = recordIntent(pool, first, REVIEW, REVIEW)
  await reached
  const waiting = recordIntent(db, second, REVIEW, REVIEW)
  await untilSomebodyWaits(db)
  goOn()
  assert.equal((await posting).granted, true)
  assert.deepEqual(await waiting, { granted: false, because: 'already-reviewed', jobId: first.id })
})

test('what was posted is not posted again by another job, unless a person insists', async (t) => {
  const { pool: db } = await createDatabase(t)
  const first = await aRunningTwin(db)
  await intend(db, first)
  await recordPosted(db, first, null)
  await transitionJob(db, 'complete', { jobId: first.id, fence: first.fence, actor: 'test', reason: 'test' })

  assert.equal(await intend(db, await aRunningTwin(db)), 'already-reviewed')
  assert.equal(await intend(db, await aRunningTwin(db, { approvedBy: 'mona' })), 'already-reviewed')
  assert.equal(await intend(db, await aRunningTwin(db, { force: true })), 'granted')
})

test('a commit that was reviewed is reviewed again once another one was, as after a force-push back to it', async (t) => {
  const { pool: db } = await createDatabase(t)
  const review = async (head: string) => {
    const job = await aRunningTwin(db, { head })
    const { granted } = await recordIntent(db, job, { ...REVIEW, head }, { ...REVIEW, head })
    if (granted) await recordPosted(db, job, null)
    await transitionJob(db, 'complete', { jobId: job.id, fence: job.fence, actor: 'test', reason: 'test' })
    return granted
  }
  const other = 'c'.repeat(40)
  assert.deepEqual([await review(HEAD), await review(HEAD)], [true, false])
  assert.deepEqual([await review(other), await review(HEAD), await review(HEAD)], [true, true, false])
})

test('a job that failed before it had posted keeps nobody from posting', async (t) => {
  const { pool: db } = await createDatabase(t)
  const first = await aRunningTwin(db)
  await intend(db, first)
  await transitionJob(db, 'fail', { jobId: first.id, fence: first.fence, actor: 'test', reason: 'test' })
  assert.equal(await intend(db, await aRunningTwin(db)), 'granted')
})

test('the same commit for another base branch is another review', async (t) => {
  const { pool: db } = await createDatabase(t)
  const first = await aRunningTwin(db)
  await intend(db, first)
  await recordPosted(db, first, null)
  const other = await aRunningTwin(db, { baseBranch: 'next' })
  assert.equal(await intend(db, other, { ...REVIEW, baseBranch: 'next' }), 'granted')
})

test('of two jobs for the same commit, the younger one is superseded while the older one is under way', async (t) => {
  const { pool: db } = await createDatabase(t)
  const older = await aTwin(db)
  const younger = await aTwin(db)
  assert.equal(await findOlderTwin(db, older), undefined)
  assert.equal(await findOlderTwin(db, younger), older)

  const job = await claimJob(db, older, 'worker')
  assert.equal(await findOlderTwin(db, younger), older)
  await transitionJob(db, 'fail', { jobId: older, fence: job?.fence ?? '', actor: 'test', reason: 'test' })
  assert.equal(await findOlderTwin(db, younger), undefined)
})

/** What an older job does not do for a younger one. */
const NOT_THE_SAME: [why: string, older: Partial<ReviewRequest>, younger: Partial<ReviewRequest>][] = [
  ['another pull request', {}, { pullRequest: '8' }],
  ['another base branch', {}, { baseBranch: 'next' }],
  ['a person insists on the younger', {}, { force: true }],
  ['a person insisted on the older', { force: true }, {}],
  ['only the younger is approved', {}, { approvedBy: 'mona' }],
  ['the head is a branch, which may have moved', { head: 'topic' }, { head: 'topic' }],
  ['no pull request', { pullRequest: null }, { pullRequest: null }],
]

for (const [why, older, younger] of NOT_THE_SAME) {
  test(`a younger job is not superseded by an older one: ${why}`, async (t) => {
    const { pool: db } = await createDatabase(t)
    await aTwin(db, older)
    assert.equal(await findOlderTwin(db, await aTwin(db, younger)), undefined)
  })
}

test('a younger job is superseded by an older one that is approved as it is', async (t) => {
  const { pool: db } = await createDatabase(t)
  const older = await aTwin(db, { approvedBy: 'mona' })
  assert.equal(await findOlderTwin(db, await aTwin(db)), older)
  assert.equal(await findOlderTwin(db, await aTwin(db, { approvedBy: 'lisa' })), older)
})

test('a worker that freezes in the middle of its intent loses job and locks all the same', async (t) => {
  const { pool: db } = await createDatabase(t)
  const job = await aRunningTwin(db)
  const { pool, reached, goOn } = pausingBefore(db, 'commit')
  const frozen = recordIntent(pool, job, REVIEW, REVIEW)
  await reached
  await db.query(`select pg_sleep(4)`)
  await db.query(`update workflow_jobs set lease_until = now() - interval '1 second'`)
  assert.equal((await lapseLeases(db, 'another worker')).length, 1)
  await putStop(db, { name: 'posting', reason: null, actor: 'mona' })
  goOn()
  await assert.rejects(frozen)
  assert.equal((await db.query('select from reviews')).rowCount, 0)
})
