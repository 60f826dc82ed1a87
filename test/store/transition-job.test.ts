import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JOB_STATUSES, type JobStatus, TRANSITIONS, type TransitionName } from '../../src/jobs/job.ts'
import type { DatabasePool } from '../../src/store/database.ts'
import { deferJobs } from '../../src/store/defer-jobs.ts'
import { getJob } from '../../src/store/get-job.ts'
import { listEvents } from '../../src/store/list-events.ts'
import { loadCheckpoint } from '../../src/store/load-checkpoint.ts'
import { recordDeliveries } from '../../src/store/record-deliveries.ts'
import { recordIntent } from '../../src/store/record-intent.ts'
import { recordPosted } from '../../src/store/record-posted.ts'
import { recordProgress } from '../../src/store/record-progress.ts'
import { renewLease } from '../../src/store/renew-lease.ts'
import { saveCheckpoint } from '../../src/store/save-checkpoint.ts'
import { takeDueJobs } from '../../src/store/take-due-jobs.ts'
import { type MovedJob, transitionJob } from '../../src/store/transition-job.ts'
import { claimJob } from '../support/claim-job.ts'
import { createDatabase } from '../support/database.ts'
import { aDelivery } from '../support/deliveries.ts'
import { pausingBefore, untilSomebodyWaits } from './transactions.ts'

const BY_TEST = { actor: 'test', reason: 'test' }

async function aJob(db: DatabasePool): Promise<string> {
  const delivery = aDelivery()
  await recordDeliveries(db, [delivery], 0)
  return delivery.jobId
}

async function aClaimedJob(db: DatabasePool): Promise<MovedJob> {
  const job = await claimJob(db, await aJob(db), 'worker-1')
  assert.ok(job)
  return job
}

async function lapseLease(db: DatabasePool, jobId: string) {
  await db.query(
    `update workflow_jobs set lease_until = now() - interval '1 second', due_at = now() where id = $1`,
    [jobId],
  )
}

async function statusOf(db: DatabasePool, jobId: string) {
  return (await getJob(db, jobId))?.status
}

test('every transition is allowed from the statuses it names and from no other', async (t) => {
  const { pool: db } = await createDatabase(t)
  for (const [name, rule] of Object.entries(TRANSITIONS)) {
    for (const from of JOB_STATUSES) {
      const jobId = await aJob(db)
      await db.query(
        `update workflow_jobs set status = $2, lease_until = now() - interval '1 second' where id = $1`,
        [jobId, from],
      )
      const moved = await transitionJob(db, name as TransitionName, { jobId, fence: '0', ...BY_TEST })
      const allowed = (rule.from as readonly JobStatus[]).includes(from)
      assert.equal(moved?.status, allowed ? rule.to : undefined, `${name} from ${from}`)
      assert.equal(await statusOf(db, jobId), allowed ? rule.to : from)
    }
  }
})

test('every transition takes a new fencing token and leaves an event', async (t) => {
  const { pool: db } = await createDatabase(t)
  const jobId = await aJob(db)
  const claimed = await claimJob(db, jobId, 'worker-1')
  assert.equal(claimed?.fence, '1')
  const retried = await transitionJob(db, 'retry', { jobId, fence: '1', dueInMs: 0, ...BY_TEST })
  assert.equal(retried?.fence, '2')

  const events = await listEvents(db, [{ jobId, after: '0' }])
  assert.deepEqual(
    events.map(({ from, to, attempt }) => [from, to, attempt]),
    [
      [null, 'PENDING', 0],
      ['PENDING', 'PROCESSING', 1],
      ['PROCESSING', 'RETRYING', 1],
    ],
  )
})

test('a job is claimed by one of many workers that try at once', async (t) => {
  const { pool: db } = await createDatabase(t)
  const jobId = await aJob(db)
  const claims = await Promise.all(Array.from({ length: 20 }, (_, n) => claimJob(db, jobId, `worker-${n}`)))
  assert.equal(claims.filter(Boolean).length, 1)
})

test('a running job is not to be had until its lease lapses, and then by one', async (t) => {
  const { pool: db } = await createDatabase(t)
  const { id } = await aClaimedJob(db)
  assert.equal(await claimJob(db, id, 'worker-2'), undefined)

  await lapseLease(db, id)
  const claims = await Promise.all([2, 3, 4].map((n) => claimJob(db, id, `worker-${n}`)))
  const [taken, ...others] = claims.filter((claim) => claim !== undefined)
  assert.equal(others.length, 0)
  assert.equal(taken?.attempts, 1, 'a lapsed lease costs no attempt')
  assert.equal(taken?.lapses, 1)
  const reasons = (await listEvents(db, [{ jobId: id, after: '0' }])).map((event) => event.reason)
  assert.ok(reasons.includes('its worker stopped renewing the lease'))
})

test('a stale attempt cannot write', async (t) => {
  const { pool: db } = await createDatabase(t)
  const stale = await aClaimedJob(db)
  await lapseLease(db, stale.id)
  const current = await claimJob(db, stale.id, 'worker-2')
  assert.ok(current)

  assert.equal(await renewLease(db, stale.id, stale.fence), false)
  for (const name of ['complete', 'retry', 'fail', 'handBack'] as const) {
    assert.equal(
      await transitionJob(db, name, { jobId: stale.id, fence: stale.fence, ...BY_TEST }),
      undefined,
      name,
    )
  }
  await recordProgress(db, stale, 'stale stage', 99)
  await saveCheckpoint(db, stale, { stage: 'ask-model', version: 1, result: 'stale' })
  assert.deepEqual(await recordIntent(db, stale, { base: 'a', head: 'b' }, { by: 'stale' }), {
    granted: false,
    because: 'lease-lost',
  })

  const job = await getJob(db, stale.id)
  assert.equal(job?.status, 'PROCESSING')
  assert.equal(job?.stage, null)
  assert.equal(await loadCheckpoint(db, current, 'ask-model', 1), undefined)
  assert.deepEqual(await recordIntent(db, current, { base: 'a', head: 'b' }, { by: 'current' }), {
    granted: true,
    review: { by: 'current' },
    postedAt: null,
  })
  assert.equal(await recordPosted(db, stale, null), false)
})

test('an attempt that takes over posts what its predecessor committed to, not its own', async (t) => {
  const { pool: db } = await createDatabase(t)
  const first = await aClaimedJob(db)
  await recordIntent(db, first, { base: 'a', head: 'b' }, { by: 'first' })
  await lapseLease(db, first.id)
  const second = await claimJob(db, first.id, 'worker-2')
  assert.ok(second)
  const intent = await recordIntent(db, second, { base: 'a', head: 'b' }, { by: 'second' })
  assert.ok(intent.granted)
  assert.equal(intent.review.by, 'first')
})

test('a checkpoint is there for the next attempt of the same run and version, and for no other', async (t) => {
  const { pool: db } = await createDatabase(t)
  const job = await aClaimedJob(db)
  await saveCheckpoint(db, job, { stage: 'ask-model', version: 1, result: { findings: [] } })
  assert.deepEqual(await loadCheckpoint(db, job, 'ask-model', 1), { findings: [] })
  assert.equal(await loadCheckpoint(db, job, 'ask-model', 2), undefined)
  assert.equal(await loadCheckpoint(db, { ...job, run: 2 }, 'ask-model', 1), undefined)
})

test('cancelling and superseding wait for nothing until the intent to post is committed, and then are refused', async (t) => {
  const { pool: db } = await createDatabase(t)
  const free = await aClaimedJob(db)
  assert.equal((await transitionJob(db, 'cancel', { jobId: free.id, ...BY_TEST }))?.status, 'CANCELLED')

  const posting = await aClaimedJob(db)
  await recordIntent(db, posting, { base: 'a', head: 'b' }, {})
  assert.equal(await transitionJob(db, 'cancel', { jobId: posting.id, ...BY_TEST }), undefined)
  assert.equal(await transitionJob(db, 'supersede', { jobId: posting.id, ...BY_TEST }), undefined)
  assert.equal(await statusOf(db, posting.id), 'PROCESSING')
})

test('a hand-back costs no attempt, a retry costs one, and a replay begins a new run', async (t) => {
  const { pool: db } = await createDatabase(t)
  const job = await aClaimedJob(db)
  const handedBack = await transitionJob(db, 'handBack', { jobId: job.id, fence: job.fence, ...BY_TEST })
  assert.deepEqual([handedBack?.status, handedBack?.attempts], ['PENDING', 0])

  const again = await claimJob(db, job.id, 'worker-2')
  await transitionJob(db, 'retry', { jobId: job.id, fence: again?.fence ?? '', ...BY_TEST })
  const third = await claimJob(db, job.id, 'worker-3')
  assert.equal(third?.attempts, 2)

  const error = { code: 'BROKEN', message: 'it broke', help: 'repair it' }
  await transitionJob(db, 'fail', { jobId: job.id, fence: third?.fence ?? '', error, ...BY_TEST })
  assert.deepEqual((await getJob(db, job.id))?.error, error)
  const replayed = await transitionJob(db, 'replay', { jobId: job.id, ...BY_TEST })
  assert.deepEqual([replayed?.status, replayed?.run, replayed?.attempts], ['PENDING', 2, 0])
  assert.equal((await getJob(db, job.id))?.error, null)
})

test('the fencing token is required where an attempt acts', async (t) => {
  const { pool: db } = await createDatabase(t)
  const job = await aClaimedJob(db)
  await assert.rejects(transitionJob(db, 'complete', { jobId: job.id, ...BY_TEST }), /fencing token/)
})

test('a late confirm does not put off a job that was claimed and waits to be tried again', async (t) => {
  const { pool: db } = await createDatabase(t)
  const jobId = await aJob(db)
  const claimed = await claimJob(db, jobId, 'worker-1')
  await transitionJob(db, 'retry', { jobId, fence: claimed?.fence ?? '', dueInMs: 5_000, ...BY_TEST })
  await deferJobs(db, [{ jobId, fence: '0' }], 3600)
  const { rows } = await db.query(`select due_at < now() + interval '1 minute' as soon from workflow_jobs`)
  assert.deepEqual(rows, [{ soon: true }])
})

test('a cancel that waits for the job while its intent is committed is refused', async (t) => {
  const { pool: db } = await createDatabase(t)
  const job = await aClaimedJob(db)
  const { pool, reached, goOn } = pausingBefore(db, 'commit')
  const posting = recordIntent(pool, job, { base: 'a', head: 'b' }, {})
  await reached
  const cancelling = transitionJob(db, 'cancel', { jobId: job.id, ...BY_TEST })
  await untilSomebodyWaits(db)
  goOn()
  assert.equal((await posting).granted, true)
  assert.equal(await cancelling, undefined)
  assert.equal(await statusOf(db, job.id), 'PROCESSING')
})

test('a job of a newer version is not taken by a component that does not know it', async (t) => {
  const { pool: db } = await createDatabase(t)
  await aJob(db)
  await db.query('update workflow_jobs set version = 99')
  assert.deepEqual(await takeDueJobs(db, { types: ['code-review'], limit: 10 }), [])
})
