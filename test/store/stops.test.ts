import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DatabasePool } from '../../src/store/database.ts'
import { findStops } from '../../src/store/find-stops.ts'
import { liftStop } from '../../src/store/lift-stop.ts'
import { putStop } from '../../src/store/put-stop.ts'
import { recordDeliveries } from '../../src/store/record-deliveries.ts'
import { recordIntent } from '../../src/store/record-intent.ts'
import { type MovedJob, transitionJob } from '../../src/store/transition-job.ts'
import { claimJob } from '../support/claim-job.ts'
import { createDatabase } from '../support/database.ts'
import { aDelivery } from '../support/deliveries.ts'
import { pausingBefore, untilSomebodyWaits } from './transactions.ts'

const COMMITS = { base: 'a'.repeat(40), head: 'b'.repeat(40) }
const STOP = { name: 'posting', reason: 'GitHub moves', actor: 'mona' } as const

async function aRunningJob(db: DatabasePool): Promise<MovedJob> {
  const delivery = aDelivery()
  await recordDeliveries(db, [delivery], 0)
  const job = await claimJob(db, delivery.jobId, 'worker')
  assert.ok(job)
  return job
}

test('while posting is stopped no review is committed to, and afterwards it is', async (t) => {
  const { pool: db } = await createDatabase(t)
  const job = await aRunningJob(db)
  const stop = await putStop(db, STOP)
  assert.deepEqual(await recordIntent(db, job, COMMITS, {}), {
    granted: false,
    because: 'posting-stopped',
    stop,
  })
  assert.equal((await db.query('select from reviews')).rowCount, 0)

  await liftStop(db, 'posting')
  assert.equal((await recordIntent(db, job, COMMITS, {})).granted, true)
})

test('a stop of posting waits for the intents that are being committed; after it there is none', async (t) => {
  const { pool: db } = await createDatabase(t)
  const [first, second] = [await aRunningJob(db), await aRunningJob(db)]
  const { pool, reached, goOn } = pausingBefore(db, 'commit')
  const intending = recordIntent(pool, first, COMMITS, {})
  await reached
  let stopped = false
  const stopping = putStop(db, STOP).then(() => (stopped = true))
  await untilSomebodyWaits(db)
  assert.equal(stopped, false)
  goOn()
  assert.equal((await intending).granted, true)
  await stopping
  assert.equal((await recordIntent(db, second, COMMITS, {})).granted, false)
})

test('an intent that waits for a stop to be committed heeds it', async (t) => {
  const { pool: db } = await createDatabase(t)
  const job = await aRunningJob(db)
  const operator = await db.connect()
  await operator.query('begin')
  await putStop(operator, STOP)
  const intending = recordIntent(db, job, COMMITS, {})
  await untilSomebodyWaits(db)
  await operator.query('commit')
  operator.release()
  assert.equal((await intending).granted, false)
})

test('stopping what is stopped keeps since when, and lifting what is not stopped changes nothing', async (t) => {
  const { pool: db } = await createDatabase(t)
  const first = await putStop(db, { ...STOP, reason: null })
  const again = await putStop(db, { ...STOP, actor: 'lisa' })
  assert.deepEqual(again, { ...STOP, actor: 'lisa', stoppedAt: first.stoppedAt })
  assert.deepEqual(await findStops(db), [again])
  assert.deepEqual([await liftStop(db, 'posting'), await liftStop(db, 'posting')], [true, false])
  assert.equal(await liftStop(db, 'claiming'), false)
  assert.deepEqual(await findStops(db), [])
})

test('when posting goes on, jobs that were handed back are due at once; those that failed wait for their time', async (t) => {
  const { pool: db } = await createDatabase(t)
  const [parked, retried] = [await aRunningJob(db), await aRunningJob(db)]
  const later = { reason: 'test', actor: 'test', dueInMs: 300_000 }
  await transitionJob(db, 'handBack', { jobId: parked.id, fence: parked.fence, ...later })
  await transitionJob(db, 'retry', { jobId: retried.id, fence: retried.fence, ...later })

  await liftStop(db, 'posting')
  const { rows } = await db.query(
    'select id from workflow_jobs where run_at <= now() and due_at <= now() order by id',
  )
  assert.deepEqual(rows, [{ id: parked.id }])
})
