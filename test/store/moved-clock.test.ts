import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Delivery } from '../../src/jobs/review-request.ts'
import { watchClock } from '../../src/jobs/watch-clock.ts'
import { claimTurn } from '../../src/store/claim-turn.ts'
import type { Database, DatabasePool } from '../../src/store/database.ts'
import { holdPullRequest } from '../../src/store/hold-pull-request.ts'
import { lapseLeases } from '../../src/store/lapse-leases.ts'
import { mendClock } from '../../src/store/mend-clock.ts'
import { recordDeliveries } from '../../src/store/record-deliveries.ts'
import { tellTime } from '../../src/store/tell-time.ts'
import { claimJob } from '../support/claim-job.ts'
import { createDatabase } from '../support/database.ts'
import { aCommand, aDelivery } from '../support/deliveries.ts'

// What a clock that was set back by two hours leaves behind: rows of two hours ahead.

const HOUR_MS = 3_600_000

async function setBack(db: DatabasePool, table: string, columns: string[]): Promise<void> {
  const later = columns.map((column) => `${column} = ${column} + interval '2 hours'`).join(', ')
  await db.query(`update ${table} set ${later}`)
}

test('jobs that wait for a moment which was named by another clock may be claimed at once', async (t) => {
  const { pool: db } = await createDatabase(t)
  await recordDeliveries(db, [aDelivery()], 0)
  await setBack(db, 'workflow_jobs', ['run_at', 'due_at', 'updated_at'])
  await recordDeliveries(db, [aDelivery()], 60_000)

  assert.equal(await mendClock(db), 1)
  const { rows } = await db.query(
    `select count(*)::int as waiting, count(*) filter (where run_at <= now())::int as claimable,
       count(*) filter (where due_at <= now())::int as due from workflow_jobs`,
  )
  assert.deepEqual(rows, [{ waiting: 2, claimable: 2, due: 1 }], 'and the moment of another job stays')
})

test('a lease that another clock gave is over, and one that ends because the clock was moved is not', async (t) => {
  const { pool: db } = await createDatabase(t)
  const delivery = aDelivery()
  await recordDeliveries(db, [delivery], 0)
  assert.ok(await claimJob(db, delivery.jobId, 'worker'))
  await setBack(db, 'workflow_jobs', ['lease_until'])

  const time = await tellTime(db)
  assert.deepEqual(await lapseLeases(db, 'test', time + 2 * HOUR_MS), [])
  assert.deepEqual(await lapseLeases(db, 'test', time - 2 * HOUR_MS), [])
  assert.equal((await lapseLeases(db, 'test', time)).length, 1)
})

test('a turn that was taken by another clock is over', async (t) => {
  const { pool: db } = await createDatabase(t)
  assert.equal(await claimTurn(db, 'poll', 60), true)
  assert.equal(await claimTurn(db, 'poll', 60), false)
  await setBack(db, 'turns', ['taken_at'])
  assert.equal(await claimTurn(db, 'poll', 60), true)
  assert.equal(await claimTurn(db, 'poll', 60), false)
})

test('what a person says of a pull request counts after what was said by another clock', async (t) => {
  const { pool: db } = await createDatabase(t)
  const [pause, resume] = [aCommand({ command: 'pause' }), aCommand({ command: 'resume' })]
  await recordDeliveries(db, [{ ...pause, pullRequest: pullRequest('a', '2026-01-01T00:00:00Z') }], 0)
  assert.ok(await holdPullRequest(db, pause.jobId, 'paused'))
  await setBack(db, 'workflow_jobs', ['created_at'])
  await setBack(db, 'pull_requests', ['hold_at'])
  await recordDeliveries(db, [resume], 0)
  assert.ok(await holdPullRequest(db, resume.jobId, null))
})

test('a push is newer than one that was recorded by another clock, and a date that the forge gave stays', async (t) => {
  const { pool: db } = await createDatabase(t)
  const headAfter = async (head: string, updatedAt: string | null): Promise<string> => {
    await recordDeliveries(db, [{ ...aDelivery(), pullRequest: pullRequest(head, updatedAt) }], 0)
    const { rows } = await db.query<{ head: string }>('select head from pull_requests')
    return rows[0]?.head[0] ?? ''
  }
  assert.equal(await headAfter('a', null), 'a')
  await setBack(db, 'pull_requests', ['updated_at'])
  assert.equal(await headAfter('b', null), 'b')
  assert.equal(await headAfter('c', null), 'c')

  const ahead = (ms: number) => new Date(Date.now() + ms).toISOString()
  assert.equal(await headAfter('d', ahead(4 * HOUR_MS)), 'd')
  assert.equal(await headAfter('e', ahead(3 * HOUR_MS)), 'd')
})

test('a clock is moved when it shows something else than passed here, and not by an answer that takes long', async () => {
  let shown = 0
  let answersAfterMs = 0
  const told = performance.now()
  const db = {
    query: async () => {
      await new Promise((resolve) => setTimeout(resolve, answersAfterMs))
      return { rows: [{ time: performance.now() - told + shown }], rowCount: 1 }
    },
  } as unknown as Database
  const look = watchClock(db)
  const movedMs = async () => Math.round((await look()).movedMs / 1000) * 1000

  assert.equal(await movedMs(), 0)
  shown += 4_000
  assert.equal(await movedMs(), 0, 'less than matters')
  shown -= 2 * HOUR_MS
  assert.equal(await movedMs(), -2 * HOUR_MS)
  assert.equal(await movedMs(), 0, 'told once')
  answersAfterMs = 2_000
  shown += 4_500
  assert.equal(await movedMs(), 0, 'it may have been asked before')
})

function pullRequest(head: string, updatedAt: string | null): NonNullable<Delivery['pullRequest']> {
  const of = { repository: 'octo/shop', pullRequest: '7', state: 'open', draft: false } as const
  return { ...of, head: head.repeat(40), updatedAt }
}
