import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { TransitionName } from '../../src/jobs/job.ts'
import { markTold } from '../../src/store/mark-told.ts'
import { recordDeliveries } from '../../src/store/record-deliveries.ts'
import { recordProgress } from '../../src/store/record-progress.ts'
import { takeUntold } from '../../src/store/take-untold.ts'
import { type MovedJob, transitionJob, transitionJobs } from '../../src/store/transition-job.ts'
import { completeTogether } from '../../src/worker/complete-jobs.ts'
import { claimJob } from '../support/claim-job.ts'
import { createDatabase } from '../support/database.ts'
import { aDelivery } from '../support/deliveries.ts'

const BY_TEST = { actor: 'test', reason: 'test' }
const ERROR = { code: 'BROKEN', message: 'it broke', help: 'repair it' }

/** A database with a job that a worker has claimed. */
async function aClaimedJob(t: TestContext) {
  const { pool: db } = await createDatabase(t)
  const claimAnother = async (): Promise<MovedJob> => {
    const delivery = aDelivery({ forge: 'github' })
    await recordDeliveries(db, [delivery], 0)
    const job = await claimJob(db, delivery.jobId, 'worker-1')
    assert.ok(job)
    return job
  }
  const job = await claimAnother()
  return {
    db,
    job,
    claimAnother,
    move: (name: TransitionName, { id, fence }: MovedJob = job, more: object = {}) =>
      transitionJob(db, name, { jobId: id, fence, ...BY_TEST, ...more }),
    take: (forges: ('git' | 'github')[] = ['github']) => takeUntold(db, { forges, limit: 5 }),
    untold: async () => {
      const { rows } = await db.query<{ jobId: string; run: number; fence: string; inSeconds: number }>(
        `select job_id as "jobId", run, fence, round(extract(epoch from tell_at - now()))::int as "inSeconds"
         from untold_jobs order by job_id, run`,
      )
      return rows
    },
    /** As if an entry had been made so long ago, and its moment had come. */
    age: (interval: string) =>
      db.query('update untold_jobs set since = now() - $1::interval, tell_at = now()', [interval]),
  }
}

test('a completed job leaves nothing to tell, unless it says what is to be shown', async (t) => {
  const { db, job, claimAnother, take, untold, age } = await aClaimedJob(t)
  const other = await claimAnother()
  await recordProgress(db, job, 'publish', 90)
  const complete = completeTogether(db)
  const shows = { state: 'ended', title: 'half a pair: \ud800, and a NUL: \0' }
  await Promise.all([
    complete({ jobId: job.id, fence: job.fence, ...BY_TEST }),
    complete({ jobId: other.id, fence: other.fence, ...BY_TEST, shows }),
  ])
  assert.deepEqual(
    (await untold()).map(({ jobId }) => jobId),
    [other.id],
  )
  await age('1 minute')
  const [taken] = await take()
  assert.deepEqual([taken?.status, taken?.shows], ['COMPLETED', shows])
})

test('an attempt that has shown nothing, and any move that is no news, leave nothing to tell', async (t) => {
  const { job, move, claimAnother, untold } = await aClaimedJob(t)
  await move('handBack')
  await move('supersede', await claimAnother())
  await move('cancel', await claimAnother())
  await move('complete', await claimAnother())
  await move('cancel', { ...job, fence: String(Number(job.fence) + 1) })
  assert.deepEqual(await untold(), [])
})

test('a worker has a minute to tell of its own attempt; of a job that waits, nobody is waited for', async (t) => {
  const { db, move, claimAnother, untold, job } = await aClaimedJob(t)
  const retried = await move('retry', job, { error: ERROR, dueInMs: 600_000 })
  const [first] = await untold()
  assert.ok(first && first.inSeconds > 55 && first.inSeconds <= 60, JSON.stringify(first))

  await markTold(db, job)
  await move('cancel', retried)
  const [second] = await untold()
  assert.equal(second?.inSeconds, 0)

  const cancelled = await claimAnother()
  await recordProgress(db, cancelled, 'analyse', 50)
  await move('cancel', cancelled)
  const third = (await untold()).find(({ jobId }) => jobId === cancelled.id)
  assert.ok(third && third.inSeconds > 55)
})

test('what comes after a move that is just being told is told after it', async (t) => {
  const { db, job, move, untold, take } = await aClaimedJob(t)
  const retried = await move('retry', job, { error: ERROR, dueInMs: 600_000 })
  await move('cancel', retried)
  const [entry] = await untold()
  assert.ok(entry && entry.inSeconds > 55)

  await markTold(db, job)
  assert.equal((await untold()).length, 1, 'the worker that told of the retry knows nothing of the cancel')
  await db.query('update untold_jobs set tell_at = now()')
  const [taken] = await take()
  assert.ok(taken)
  assert.deepEqual([taken.status, taken.hasWaited], ['CANCELLED', true])
  await markTold(db, taken.job)
  assert.deepEqual(await untold(), [])
})

test('of several that look at the same moment, one gets it, and the others not before its next moment', async (t) => {
  const { move, take, age } = await aClaimedJob(t)
  await move('fail', undefined, { error: ERROR })
  assert.deepEqual(await take(), [], 'its worker has not had its time')
  await age('1 minute')
  const taken = await Promise.all(Array.from({ length: 8 }, () => take()))
  assert.equal(taken.flat().length, 1)
  assert.deepEqual(await take(), [])
})

test('a failing forge is asked after a minute, then more and more seldom, and every ten minutes in the end', async (t) => {
  const { move, take, age, untold } = await aClaimedJob(t)
  await move('fail', undefined, { error: ERROR })
  for (const [interval, waits] of [
    ['5 seconds', 60],
    ['4 minutes', 240],
    ['3 hours', 600],
  ] as const) {
    await age(interval)
    assert.equal((await take()).length, 1)
    const [entry] = await untold()
    assert.ok(entry && Math.abs(entry.inSeconds - waits) <= 5, `${interval}: ${entry?.inSeconds}`)
  }
})

test('a job that went on is told apart from one that did not, and so is a run that was replayed', async (t) => {
  const { db, job, move, take, age } = await aClaimedJob(t)
  await recordProgress(db, job, 'analyse', 50)
  const retried = await move('retry', job, { error: ERROR })
  await age('1 minute')
  const seen = async () => {
    const [taken] = await take()
    await age('1 minute')
    return [taken?.status, taken?.isReplayed, taken?.job.run, taken?.job.fence, taken?.stages]
  }
  assert.deepEqual(await seen(), ['RETRYING', false, 1, job.fence, ['analyse']])
  const claimed = await claimJob(db, job.id, 'worker-2')
  assert.deepEqual(await seen(), [null, false, 1, job.fence, ['analyse']])
  const failed = await move('fail', claimed, { error: ERROR })
  await age('1 minute')
  assert.deepEqual(await seen(), ['FAILED', false, 1, claimed?.fence, ['analyse']])
  await move('replay', failed)
  assert.deepEqual(await seen(), [null, true, 1, claimed?.fence, ['analyse']])
  assert.equal(retried?.status, 'RETRYING')
})

test('a worker takes what it can tell: jobs of its forges', async (t) => {
  const { move, take, age } = await aClaimedJob(t)
  await move('fail', undefined, { error: ERROR })
  await age('1 minute')
  assert.deepEqual(await take(['git']), [])
  assert.equal((await take(['git', 'github'])).length, 1)
})

test('nothing is forgotten when the clock was set back', async (t) => {
  const { db, move, take } = await aClaimedJob(t)
  await move('fail', undefined, { error: ERROR })
  await db.query(`update untold_jobs set tell_at = now() + interval '1 day'`)
  assert.equal((await take()).length, 1)
})

test('commands leave nothing to tell, and a job takes its own with it when it is removed', async (t) => {
  const { db, job, move, claimAnother, untold } = await aClaimedJob(t)
  const command = await claimAnother()
  await db.query(`update workflow_jobs set type = 'command' where id = $1`, [command.id])
  const moved = await transitionJobs(
    db,
    'fail',
    [command, job].map(({ id, fence }) => ({ jobId: id, fence, error: ERROR, ...BY_TEST })),
  )
  assert.equal(moved.length, 2)
  assert.deepEqual(
    (await untold()).map(({ jobId }) => jobId),
    [job.id],
  )
  await db.query('delete from workflow_jobs where id = $1', [job.id])
  assert.deepEqual(await untold(), [])
  assert.equal(await move('cancel'), undefined)
})
