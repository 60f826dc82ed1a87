import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import type { DatabasePool } from '../../src/store/database.ts'
import { discardJob } from '../../src/store/discard-job.ts'
import { listEvents } from '../../src/store/list-events.ts'
import { listJobs } from '../../src/store/list-jobs.ts'
import { recordDeliveries } from '../../src/store/record-deliveries.ts'
import { transitionJob } from '../../src/store/transition-job.ts'
import { claimJob } from '../support/claim-job.ts'
import { createDatabase } from '../support/database.ts'
import { aDelivery } from '../support/deliveries.ts'

const BY = { actor: 'mona', reason: 'not worth it' }

async function aJob(db: DatabasePool): Promise<string> {
  const delivery = aDelivery()
  await recordDeliveries(db, [delivery], 0)
  return delivery.jobId
}

async function fail(db: DatabasePool, jobId: string, code = 'MODEL_UNAVAILABLE'): Promise<void> {
  const job = await claimJob(db, jobId, 'worker')
  const error = { code, message: 'no answer', help: 'wait' }
  const by = { actor: 'worker', reason: 'gave up', error }
  assert.ok(await transitionJob(db, 'fail', { jobId, fence: job?.fence ?? '', ...by }))
}

async function dead(db: DatabasePool, filter: { code?: string } = {}): Promise<string[]> {
  const { jobs } = await listJobs(db, { filter: { dead: true, ...filter }, after: undefined, limit: 100 })
  return jobs.map(({ id }) => id)
}

test('a job that failed is listed as dead until a person discards it, once, and its history says who', async (t) => {
  const { pool: db } = await createDatabase(t)
  const jobId = await aJob(db)
  await fail(db, jobId)
  assert.deepEqual(await dead(db), [jobId])

  const answers = await Promise.all([1, 2, 3].map(() => discardJob(db, { jobId, ...BY })))
  assert.equal(answers.filter(Boolean).length, 1)
  assert.deepEqual(await dead(db), [])
  const last = (await listEvents(db, [{ jobId, after: '0' }])).at(-1)
  assert.deepEqual(
    [last?.from, last?.to, last?.actor, last?.reason],
    ['FAILED', 'FAILED', 'mona', 'not worth it'],
  )
})

test('a replay takes the mark off: failing again, the job is listed again', async (t) => {
  const { pool: db } = await createDatabase(t)
  const jobId = await aJob(db)
  await fail(db, jobId)
  await discardJob(db, { jobId, ...BY })
  await transitionJob(db, 'replay', { jobId, ...BY })
  assert.deepEqual(await dead(db), [], 'it waits now')
  await fail(db, jobId)
  assert.deepEqual(await dead(db), [jobId])
})

test('only what failed can be discarded', async (t) => {
  const { pool: db } = await createDatabase(t)
  const jobId = await aJob(db)
  assert.equal(await discardJob(db, { jobId, ...BY }), false)
  await transitionJob(db, 'cancel', { jobId, ...BY })
  assert.equal(await discardJob(db, { jobId, ...BY }), false)
  assert.equal(await discardJob(db, { jobId: randomUUID(), ...BY }), false)
})

test('the dead are told apart by the code they failed with', async (t) => {
  const { pool: db } = await createDatabase(t)
  const [model, git] = [await aJob(db), await aJob(db)]
  await fail(db, model)
  await fail(db, git, 'GIT_UNREACHABLE')
  assert.deepEqual(await dead(db, { code: 'GIT_UNREACHABLE' }), [git])
})
