import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import type { Delivery } from '../../src/jobs/review-request.ts'
import type { ErrorReport } from '../../src/lib/errors.ts'
import type { DatabasePool } from '../../src/store/database.ts'
import { findSuperseding } from '../../src/store/find-superseding.ts'
import { recordDeliveries } from '../../src/store/record-deliveries.ts'
import { recordIntent } from '../../src/store/record-intent.ts'
import { takeDueJobs } from '../../src/store/take-due-jobs.ts'
import { transitionJob } from '../../src/store/transition-job.ts'
import { claimJob } from '../support/claim-job.ts'
import { createDatabase } from '../support/database.ts'
import { aCommand, aDelivery } from '../support/deliveries.ts'

async function countJobs(db: DatabasePool): Promise<number> {
  const { rows } = await db.query<{ count: number }>('select count(*)::int as count from workflow_jobs')
  return rows[0]?.count ?? -1
}

test('a delivery gives one job, however often and however parallel it is recorded', async (t) => {
  const { pool: db } = await createDatabase(t)
  const delivery = aDelivery()
  const results = await Promise.all(Array.from({ length: 10 }, () => recordDeliveries(db, [delivery], 0)))
  assert.equal(results.filter((result) => !result.get(delivery.jobId)?.duplicate).length, 1)
  assert.equal(await countJobs(db), 1)
})

test('a captured body under a fresh delivery id is the same delivery, and moves no pull request', async (t) => {
  const { pool: db } = await createDatabase(t)
  const original = aDelivery({ request: { pullRequest: 'main', head: '1'.repeat(40) }, pullRequest: {} })
  await recordDeliveries(db, [original], 0)
  const newer = aDelivery({ request: { pullRequest: 'main', head: '2'.repeat(40) }, pullRequest: {} })
  await recordDeliveries(db, [newer], 0)

  const captured = {
    ...aDelivery(),
    digest: original.digest,
    request: original.request,
    pullRequest: original.pullRequest,
  }
  const result = (await recordDeliveries(db, [captured as typeof original], 0)).get(captured.jobId)
  const job = { type: 'code-review', version: 1, fence: '0' }
  assert.deepEqual(result, { jobId: original.jobId, status: 'PENDING', duplicate: true, job })
  assert.equal(await countJobs(db), 2)
  assert.equal(await findSuperseding(db, newer.jobId), undefined)
})

test('where a forge dates nothing, a handler whose clock is ahead does not outdate what comes later', async (t) => {
  const { pool: db } = await createDatabase(t)
  const request = { pullRequest: 'feature' }
  const ahead = new Date(Date.now() + 3_600_000).toISOString()
  const first = aDelivery({ request: { ...request, head: 'c'.repeat(40) }, pullRequest: {} })
  await recordDeliveries(db, [{ ...first, receivedAt: ahead }], 0)
  const later = aDelivery({ request: { ...request, head: 'd'.repeat(40) }, pullRequest: {} })
  await recordDeliveries(db, [later], 0)
  assert.equal(await findSuperseding(db, later.jobId), undefined)
  assert.equal((await findSuperseding(db, first.jobId))?.head, 'd'.repeat(40))
})

test('a delivery whose job housekeeping removed is still known', async (t) => {
  const { pool: db } = await createDatabase(t)
  const delivery = aDelivery()
  await recordDeliveries(db, [delivery], 0)
  await db.query('delete from workflow_jobs')
  const again = (await recordDeliveries(db, [delivery], 0)).get(delivery.jobId)
  assert.deepEqual(again, { jobId: delivery.jobId, status: null, duplicate: true, job: null })
  assert.equal(await countJobs(db), 0)
})

test('redelivering a FAILED job replays it; redelivering any other does not', async (t) => {
  const { pool: db } = await createDatabase(t)
  const delivery = aDelivery()
  await recordDeliveries(db, [delivery], 0)
  const job = await claimJob(db, delivery.jobId, 'worker')
  assert.equal((await recordDeliveries(db, [delivery], 0)).get(delivery.jobId)?.status, 'PROCESSING')
  await transitionJob(db, 'fail', {
    jobId: delivery.jobId,
    fence: job?.fence ?? '',
    actor: 'test',
    reason: 'test',
  })
  assert.equal((await recordDeliveries(db, [delivery], 0)).get(delivery.jobId)?.status, 'PENDING')
})

test('opened again within the second in which it was opened before, a pull request is reviewed: the bodies are equal', async (t) => {
  const { pool: db } = await createDatabase(t)
  const SECOND = '2026-01-01T00:00:00Z'
  const told = (deliveryId: string) =>
    aDelivery({
      forge: 'github',
      deliveryId,
      digest: 'a'.repeat(64),
      request: { repository: 'octo/shop', pullRequest: '7' },
      pullRequest: { updatedAt: SECOND },
    })
  const cancel = async (jobId: string, error?: ErrorReport) => {
    const { fence = '' } = (await claimJob(db, jobId, 'worker')) ?? {}
    await transitionJob(db, 'cancel', {
      jobId,
      fence,
      actor: 'test',
      reason: 'test',
      ...(error && { error }),
    })
  }
  const closed = { code: 'PULL_REQUEST_CLOSED', message: 'The pull request is closed.', help: '' }
  const first = told('first')
  const again = told('again')
  await recordDeliveries(db, [first], 0)
  await cancel(first.jobId, closed)

  assert.equal((await recordDeliveries(db, [first], 0)).get(first.jobId)?.status, 'CANCELLED', 'told twice')
  const replayed = (await recordDeliveries(db, [again], 0)).get(again.jobId)
  assert.deepEqual([replayed?.jobId, replayed?.status, replayed?.duplicate], [first.jobId, 'PENDING', true])

  await cancel(first.jobId)
  const byPerson = (await recordDeliveries(db, [again], 0)).get(again.jobId)
  assert.equal(byPerson?.status, 'CANCELLED', 'cancelled by a person')

  await transitionJob(db, 'replay', { jobId: first.jobId, actor: 'test', reason: 'test' })
  await cancel(first.jobId, closed)
  await db.query(`update pull_requests set updated_at = $1::timestamptz + interval '1 s'`, [SECOND])
  const late = (await recordDeliveries(db, [again], 0)).get(again.jobId)
  assert.equal(late?.status, 'CANCELLED', 'closed later')
})

test('the newest head is the one the forge dated last, not the one that arrived last', async (t) => {
  const { pool: db } = await createDatabase(t)
  const at = (head: string, updatedAt: string) =>
    aDelivery({ request: { pullRequest: '7', head: head.repeat(40) }, pullRequest: { updatedAt } })
  const newer = at('2', '2026-01-02T00:00:00Z')
  const older = at('1', '2026-01-01T00:00:00Z')
  await recordDeliveries(db, [newer], 0)
  await recordDeliveries(db, [older], 0)
  assert.equal(await findSuperseding(db, newer.jobId), undefined)
  assert.deepEqual(await findSuperseding(db, older.jobId), { head: '2'.repeat(40), state: 'open' })
})

test('many states of one pull request in one batch leave the newest', async (t) => {
  const { pool: db } = await createDatabase(t)
  const deliveries = [3, 1, 2].map((day) =>
    aDelivery({
      request: { pullRequest: '7', head: String(day).repeat(40) },
      pullRequest: { updatedAt: `2026-01-0${day}T00:00:00Z` },
    }),
  )
  await recordDeliveries(db, deliveries, 0)
  const { rows } = await db.query('select head from pull_requests')
  assert.deepEqual(rows, [{ head: '3'.repeat(40) }])
})

test('no intent to post is committed after a newer head was recorded, or the pull request closed', async (t) => {
  const { pool: db } = await createDatabase(t)
  for (const change of [{ head: '9'.repeat(40) }, { state: 'closed' as const }]) {
    const pullRequest = `pr-${JSON.stringify(change)}`
    const delivery = aDelivery({ request: { pullRequest }, pullRequest: {} })
    await recordDeliveries(db, [delivery], 0)
    const job = await claimJob(db, delivery.jobId, 'worker')
    assert.ok(job)
    const { request: _, ...stateOnly } = aDelivery({ request: { pullRequest }, pullRequest: change })
    await recordDeliveries(db, [stateOnly], 0)
    const intent = await recordIntent(db, job, { base: 'a', head: 'b' }, {})
    assert.deepEqual([intent.granted, !intent.granted && intent.because], [false, 'moved-on'])
  }
})

test('a new row is due after the outbox delay, and is taken by one taker', async (t) => {
  const { pool: db } = await createDatabase(t)
  const now = aDelivery()
  await recordDeliveries(db, [aDelivery()], 60_000)
  await recordDeliveries(db, [now], 0)
  const takers = await Promise.all(
    Array.from({ length: 5 }, () => takeDueJobs(db, { types: ['code-review'], limit: 10 })),
  )
  assert.deepEqual(takers.flat(), [{ jobId: now.jobId, type: 'code-review', version: 1, fence: '0' }])
})

test('a forge that dates nothing is dated by arrival: an older head that is recorded later does not win', async (t) => {
  const { pool: db } = await createDatabase(t)
  const at = (head: string, receivedAt: string) => ({
    ...aDelivery({ request: { pullRequest: 'topic', head: head.repeat(40) }, pullRequest: {} }),
    receivedAt,
  })
  const older = at('1', '2026-01-01T00:00:00.000Z')
  const newer = at('2', '2026-01-01T00:00:00.001Z')
  await recordDeliveries(db, [newer], 0)
  await recordDeliveries(db, [older], 0)
  const { rows } = await db.query('select head from pull_requests')
  assert.deepEqual(rows, [{ head: '2'.repeat(40) }])
})

test('a command becomes a job of its own type, for its pull request, and moves no pull request', async (t) => {
  const { pool: db } = await createDatabase(t)
  const delivery = aCommand({ command: 'pause', sender: 'mona' })
  const again = [await recordDeliveries(db, [delivery], 0), await recordDeliveries(db, [delivery], 0)]
  const job = { type: 'command', version: 1, fence: '0' }
  assert.deepEqual(
    again.map((result) => result.get(delivery.jobId)),
    [false, true].map((duplicate) => ({ jobId: delivery.jobId, status: 'PENDING', duplicate, job })),
  )
  const { rows } = await db.query(
    `select j.type, j.repository, j.organisation, j.pull_request, j.payload, e.reason, e.actor
     from workflow_jobs j join workflow_job_events e on e.job_id = j.id`,
  )
  assert.deepEqual(rows, [
    {
      type: 'command',
      repository: 'octo/shop',
      organisation: 'octo',
      pull_request: '7',
      payload: delivery.command,
      reason: 'comment: pause',
      actor: 'mona',
    },
  ])
  assert.equal((await db.query('select from pull_requests')).rowCount, 0)
})

test('redelivering a FAILED command replays it', async (t) => {
  const { pool: db } = await createDatabase(t)
  const delivery = aCommand({})
  await recordDeliveries(db, [delivery], 0)
  const { fence = '' } = (await claimJob(db, delivery.jobId, 'worker')) ?? {}
  await transitionJob(db, 'fail', { jobId: delivery.jobId, fence, actor: 'test', reason: 'test' })
  const replayed = (await recordDeliveries(db, [delivery], 0)).get(delivery.jobId)
  assert.deepEqual([replayed?.status, replayed?.job?.type], ['PENDING', 'command'])
})

test('a command is not superseded, whatever becomes of its pull request', async (t) => {
  const { pool: db } = await createDatabase(t)
  const delivery = aCommand({})
  const { request: _, ...closed } = aDelivery({
    forge: 'github',
    request: { repository: 'octo/shop', pullRequest: '7' },
    pullRequest: { state: 'closed' },
  })
  await recordDeliveries(db, [delivery, closed], 0)
  assert.equal(await findSuperseding(db, delivery.jobId), undefined)
})

test('two handlers hammering the same deliveries, bodies and pull requests never wait for each other in a circle', async (t) => {
  const { url, pool } = await createDatabase(t)
  const handlers = [1, 2].map(() => new pg.Pool({ connectionString: url, max: 2 }))
  const shuffled = <T>(items: readonly T[]) =>
    items
      .map((item) => ({ item, at: Math.random() }))
      .sort((a, b) => a.at - b.at)
      .map(({ item }) => item)

  const results: PromiseSettledResult<unknown>[] = []
  const asked = new Set<string>()
  for (let round = 0; round < 30; round++) {
    const known = Array.from({ length: 20 }, (_, n) =>
      aDelivery({ request: { pullRequest: String(n % 6) }, pullRequest: {} }),
    )
    // The same bodies under other ids, and news of the same pull requests that ask for nothing.
    const captured = known.map(({ digest }, n) =>
      aDelivery({ digest, request: { pullRequest: String(n % 6) }, pullRequest: {} }),
    )
    const told = Array.from({ length: 10 }, (_, n) => {
      const { request: _request, ...state } = aDelivery({
        request: { pullRequest: String(n) },
        pullRequest: {},
      })
      return state
    })
    // Each has some of them, in an order of its own.
    const batches: Delivery[][] = [1, 2, 3, 4].map(() =>
      shuffled([...known, ...captured, ...told]).slice(0, 30),
    )
    for (const { digest, request } of batches.flat()) if (request) asked.add(digest)
    const recording = batches.map((batch, n) => recordDeliveries(handlers[n % 2] ?? pool, batch, 0))
    results.push(...(await Promise.allSettled(recording)))
  }
  await Promise.all(handlers.map((handler) => handler.end()))

  assert.deepEqual(
    results.flatMap((result) => (result.status === 'rejected' ? [String(result.reason)] : [])),
    [],
  )
  assert.equal(await countJobs(pool), asked.size)
  // Counted by each session when it ends, also those that were resolved by a second try.
  const { rows } = await pool.query(
    'select deadlocks::int from pg_stat_database where datname = current_database()',
  )
  assert.deepEqual(rows, [{ deadlocks: 0 }])
})
