import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type ErrorReport, KodusError } from '../../src/lib/errors.ts'
import { silentLog } from '../../src/lib/log.ts'
import type { DatabasePool } from '../../src/store/database.ts'
import { listJobs } from '../../src/store/list-jobs.ts'
import { recordDeliveries } from '../../src/store/record-deliveries.ts'
import { recordFailure } from '../../src/worker/record-failure.ts'
import { claimJob } from '../support/claim-job.ts'
import { createDatabase } from '../support/database.ts'
import { aDelivery } from '../support/deliveries.ts'

const MAX_ATTEMPTS = 5

async function aJob(t: TestContext) {
  const { pool: db } = await createDatabase(t)
  const delivery = aDelivery()
  await recordDeliveries(db, [delivery], 0)
  const { jobId } = delivery
  return {
    db,
    /** An attempt that fails with this. @returns what the row says then, `waits` in seconds */
    async fail(thrown: unknown, signal = new AbortController().signal) {
      const job = await claimJob(db, jobId, 'worker')
      assert.ok(job)
      await recordFailure(
        { db, job, worker: 'worker', maxAttempts: MAX_ATTEMPTS, log: silentLog },
        signal,
        thrown,
      )
      return await read(db)
    },
  }
}

async function read(db: DatabasePool) {
  const { rows } = await db.query<{
    status: string
    attempts: number
    waits: number
    error: ErrorReport | null
    reason: string
  }>(
    `select status, attempts, extract(epoch from run_at - updated_at)::float8 as waits, error,
       (select reason from workflow_job_events order by id desc limit 1) as reason from workflow_jobs`,
  )
  const [row] = rows
  assert.ok(row)
  return row
}

function transient(code: string, retryAfterMs?: number): KodusError {
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs }
  return new KodusError(code, `${code} happened`, { help: 'wait', retryability: 'transient', ...wait })
}

function between(value: number, low: number, high: number): void {
  assert.ok(value >= low && value <= high, `${value} is not between ${low} and ${high}`)
}

test('what may pass is tried again after a wait that doubles, by chance up to half of it sooner', async (t) => {
  const { fail } = await aJob(t)
  for (const [attempt, seconds] of [5, 10, 20, 40].entries()) {
    const job = await fail(transient('MODEL_UNAVAILABLE'))
    assert.deepEqual(
      [job.status, job.attempts, job.error?.code],
      ['RETRYING', attempt + 1, 'MODEL_UNAVAILABLE'],
    )
    between(job.waits, seconds / 2, seconds)
  }
})

test('what used up its attempts is FAILED, with its reason, and listed as dead', async (t) => {
  const { db, fail } = await aJob(t)
  for (let attempt = 1; attempt < MAX_ATTEMPTS; attempt++) await fail(transient('MODEL_UNAVAILABLE'))
  const job = await fail(transient('MODEL_UNAVAILABLE'))
  assert.deepEqual([job.status, job.attempts], ['FAILED', MAX_ATTEMPTS])
  assert.equal(job.reason, 'MODEL_UNAVAILABLE: MODEL_UNAVAILABLE happened')
  const { jobs } = await listJobs(db, { filter: { dead: true }, after: undefined, limit: 10 })
  assert.deepEqual(
    jobs.map(({ error }) => error),
    [{ code: 'MODEL_UNAVAILABLE', message: 'MODEL_UNAVAILABLE happened', help: 'wait' }],
  )
})

test('what cannot pass is FAILED at once, with what to do', async (t) => {
  const { fail } = await aJob(t)
  const job = await fail(
    new KodusError('MODEL_UNAUTHORIZED', 'The key was refused.', { help: 'Set another.' }),
  )
  assert.deepEqual([job.status, job.attempts], ['FAILED', 1])
  assert.deepEqual(job.error, {
    code: 'MODEL_UNAUTHORIZED',
    message: 'The key was refused.',
    help: 'Set another.',
  })
})

test('what nobody foresaw is tried again', async (t) => {
  const { fail } = await aJob(t)
  assert.equal((await fail(new TypeError('x is undefined'))).status, 'RETRYING')
})

test('a rate limit is waited out, at least as long as a failure without one, and for an hour at most', async (t) => {
  const { fail } = await aJob(t)
  between((await fail(transient('GITHUB_RATE_LIMITED', 1_200_000))).waits, 1_200, 1_230)
  between((await fail(transient('GITHUB_RATE_LIMITED', 0))).waits, 5, 10)
  between((await fail(transient('GITHUB_RATE_LIMITED', Number.MAX_VALUE))).waits, 3_600, 3_630)
})

/** What is no fault of the job's, and how long it waits then. */
const OURS: [code: string, thrown: unknown, seconds: number][] = [
  ['DATABASE_UNAVAILABLE', transient('DATABASE_UNAVAILABLE'), 5],
  ['QUEUE_UNAVAILABLE', transient('QUEUE_UNAVAILABLE'), 5],
  ['POSTING_STOPPED', transient('POSTING_STOPPED'), 60],
  ['GIT_TOO_LARGE', transient('GIT_TOO_LARGE'), 60],
  ['UNEXPECTED', Object.assign(new Error('write'), { code: 'ENOSPC' }), 60],
  ['WORKER_STOPS', transient('WORKER_STOPS'), 0],
]

for (const [code, thrown, seconds] of OURS) {
  test(`a failure of our own costs no attempt, and its reason is in the history: ${code}`, async (t) => {
    const { fail } = await aJob(t)
    for (let time = 1; time <= MAX_ATTEMPTS + 1; time++) {
      const job = await fail(thrown)
      assert.deepEqual([job.status, job.attempts, job.error], ['PENDING', 0, null])
      assert.ok(job.reason.startsWith(`${code}: `), job.reason)
      assert.equal(Math.round(job.waits), seconds)
    }
  })
}

test('a disk that stays full for half an hour costs attempts: the job ends', async (t) => {
  const { fail } = await aJob(t)
  let handBacks = 0
  while ((await fail(transient('GIT_TOO_LARGE'))).status === 'PENDING') handBacks += 1
  assert.equal(handBacks, 30)
  for (let attempt = 2; attempt < MAX_ATTEMPTS; attempt++) {
    assert.equal((await fail(transient('GIT_TOO_LARGE'))).status, 'RETRYING')
  }
  assert.equal((await fail(transient('GIT_TOO_LARGE'))).status, 'FAILED')
})

test('a repository that is too large for this installation fails at once', async (t) => {
  const { fail } = await aJob(t)
  assert.equal((await fail(new KodusError('GIT_TOO_LARGE', 'too large', { help: 'split' }))).status, 'FAILED')
})

test('whatever a library makes of an abort, the reason for the abort is what happened', async (t) => {
  const { fail } = await aJob(t)
  const job = await fail(new Error('socket hang up'), AbortSignal.abort(transient('WORKER_STOPS')))
  assert.equal(job.status, 'PENDING')
})
