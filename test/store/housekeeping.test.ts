import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { JobStatus } from '../../src/jobs/job.ts'
import type { JobQueue } from '../../src/jobs/queue.ts'
import type { Delivery, ReviewRequest } from '../../src/jobs/review-request.ts'
import { silentLog } from '../../src/lib/log.ts'
import { readRetention } from '../../src/store/config.ts'
import type { DatabasePool } from '../../src/store/database.ts'
import { dismissFinding } from '../../src/store/dismiss-finding.ts'
import { findLastReview } from '../../src/store/find-last-review.ts'
import { findReviewsOf } from '../../src/store/find-reviews-of.ts'
import { inTransaction } from '../../src/store/in-transaction.ts'
import { liftStop } from '../../src/store/lift-stop.ts'
import { OLD_JOBS } from '../../src/store/old-jobs.ts'
import { putStop } from '../../src/store/put-stop.ts'
import { MAX_REVIEWS, type RecalledReviews, recallReviews } from '../../src/store/recall-reviews.ts'
import { recordDeliveries } from '../../src/store/record-deliveries.ts'
import { removeRows } from '../../src/store/remove-rows.ts'
import { transitionJob } from '../../src/store/transition-job.ts'
import { cleanUp, keepHouse } from '../../src/worker/keep-house.ts'
import { recordIntake } from '../../src/worker/record-intake.ts'
import { createDatabase } from '../support/database.ts'
import { aDelivery } from '../support/deliveries.ts'
import { untilSomebodyWaits } from './transactions.ts'

const DAY = 24 * 3600
const RETENTION = { jobs: 90 * DAY, deliveries: 120 * DAY }
const running = new AbortController().signal

const PULL = { repository: 'octo/shop', pullRequest: '7' }

interface Told {
  request?: Partial<ReviewRequest>
  state?: 'open' | 'closed' | 'merged'
  forge?: 'git' | 'github'
}

/** A pull request's job that came and ended so many days ago, and whatever a run leaves behind. */
async function aJob(
  db: DatabasePool,
  {
    days,
    status = 'COMPLETED',
    posted = status === 'COMPLETED',
    state = 'open',
    ...told
  }: Told & {
    days: number
    status?: JobStatus
    posted?: boolean
  },
): Promise<Delivery> {
  const updatedAt = new Date(Date.now() - days * DAY * 1000).toISOString()
  const delivery = aDelivery({
    forge: told.forge ?? 'github',
    request: { ...PULL, ...told.request },
    pullRequest: { state, updatedAt },
  })
  await recordDeliveries(db, [delivery], 0)
  const finished = !['PENDING', 'PROCESSING', 'RETRYING'].includes(status)
  const { jobId } = delivery
  const ago = `now() - ${days} * interval '1 day'`
  await db.query(
    `update workflow_jobs set status = $2, created_at = ${ago}, finished_at = case when $3 then ${ago} end where id = $1`,
    [jobId, status, finished],
  )
  await db.query(`update deliveries set received_at = ${ago} where job_id = $1`, [jobId])
  await db.query(
    `insert into workflow_job_checkpoints (job_id, run, stage, version, result) values ($1, 1, 'ask-model', 1, '{}')`,
    [jobId],
  )
  if (!posted) return delivery
  const review = { findings: [{ id: `finding of ${jobId}` }] }
  await db.query(
    `insert into reviews (job_id, run, base, head, review, intended_at, posted_at)
     values ($1, 1, 'base', $2, $3, ${ago}, ${ago})`,
    [jobId, delivery.request?.head, JSON.stringify(review)],
  )
  return delivery
}

async function count(db: DatabasePool, table: string): Promise<number> {
  const { rows } = await db.query<{ count: number }>(`select count(*)::int as count from ${table}`)
  return rows[0]?.count ?? -1
}

async function exists(db: DatabasePool, { jobId }: Delivery): Promise<boolean> {
  return (await db.query('select from workflow_jobs where id = $1', [jobId])).rowCount === 1
}

async function cleanedUp(t: TestContext, prepare: (db: DatabasePool) => Promise<unknown>) {
  const { pool: db } = await createDatabase(t)
  await prepare(db)
  await cleanUp({ db, retention: RETENTION, log: silentLog }, running)
  return db
}

test('a job that finished long ago goes, with its history, its checkpoints and its review', async (t) => {
  const db = await cleanedUp(t, (db) => aJob(db, { days: 91, state: 'merged' }))
  for (const table of ['workflow_jobs', 'workflow_job_events', 'workflow_job_checkpoints', 'reviews']) {
    assert.equal(await count(db, table), 0, table)
  }
  assert.equal(await count(db, 'pull_requests'), 0)
})

test('a job that finished lately stays whole but for its checkpoints, which nothing reads any more', async (t) => {
  const db = await cleanedUp(t, (db) => aJob(db, { days: 89, state: 'merged' }))
  for (const table of ['workflow_jobs', 'workflow_job_events', 'reviews', 'pull_requests']) {
    assert.equal(await count(db, table), 1, table)
  }
  assert.equal(await count(db, 'workflow_job_checkpoints'), 0)
})

test('what waits or runs is never old, nor are its checkpoints and its pull request', async (t) => {
  const statuses = ['PENDING', 'PROCESSING', 'RETRYING'] as const
  const db = await cleanedUp(t, async (db) => {
    for (const status of statuses) await aJob(db, { days: 4000, status, state: 'closed' })
  })
  for (const table of ['workflow_jobs', 'workflow_job_checkpoints', 'deliveries']) {
    assert.equal(await count(db, table), statuses.length, table)
  }
  assert.equal(await count(db, 'pull_requests'), 1)
})

test('of an open pull request, everything that was said is remembered however old, and the rest is not', async (t) => {
  const finding = { id: 'dismissed', dismissedBy: 'mona' }
  const jobs: Record<string, Delivery> = {}
  const db = await cleanedUp(t, async (db) => {
    jobs.first = await aJob(db, { days: 2000, request: { head: '1'.repeat(40) } })
    jobs.superseded = await aJob(db, { days: 1999, status: 'SUPERSEDED' })
    jobs.failed = await aJob(db, { days: 1998, status: 'FAILED' })
    jobs.last = await aJob(db, { days: 1997, request: { head: '2'.repeat(40) } })
    jobs.next = await aJob(db, { days: 0, status: 'PENDING', request: { head: '3'.repeat(40) } })
    await dismissFinding(db, 'github', PULL, finding)
    await db.query(`update dismissed_findings set dismissed_at = now() - interval '1997 days'`)
    await db.query(`update pull_requests set hold = 'paused', updated_at = now() - interval '1997 days'`)
  })
  const { first, superseded, failed, last, next } = jobs as Record<string, Delivery> & {
    [name in 'first' | 'superseded' | 'failed' | 'last' | 'next']: Delivery
  }
  assert.equal(await exists(db, superseded), false)
  assert.equal(await exists(db, failed), false)

  const recalled: RecalledReviews<object, { id: string }> = await recallReviews(db, {
    id: next.jobId,
    run: 1,
  })
  assert.equal(recalled.last?.jobId, last.jobId)
  assert.deepEqual(
    new Set(recalled.said.keys()),
    new Set([`finding of ${first.jobId}`, `finding of ${last.jobId}`]),
  )
  assert.deepEqual(recalled.dismissed, new Set(['dismissed']))
  assert.equal((await findLastReview(db, 'github', PULL))?.jobId, last.jobId)
  assert.equal((await findReviewsOf(db, 'github', { ...PULL, head: '2'.repeat(40) })).posted, true)
  assert.equal((await db.query('select hold from pull_requests')).rows[0]?.hold, 'paused')
})

test('of an open pull request that was reviewed without end, as much is remembered as is ever recalled', async (t) => {
  const extra = 3
  let next: Delivery | undefined
  const db = await cleanedUp(t, async (db) => {
    for (let n = MAX_REVIEWS + extra; n > 0; n--) await aJob(db, { days: 100 + n })
    next = await aJob(db, { days: 0, status: 'PENDING' })
  })
  assert.equal(await count(db, 'reviews'), MAX_REVIEWS)
  const oldest = await db.query<{ days: number }>(
    `select max(extract(day from now() - intended_at))::int as days from reviews`,
  )
  assert.equal(oldest.rows[0]?.days, 100 + MAX_REVIEWS)
  const { said } = await recallReviews(db, { id: next?.jobId ?? '', run: 1 })
  assert.equal(said.size, MAX_REVIEWS, 'all that is recalled is there')
})

test('a pull request that was closed lately is remembered, since it may be opened again', async (t) => {
  const db = await cleanedUp(t, async (db) => {
    await aJob(db, { days: 300 })
    const closed = aDelivery({ forge: 'github', request: PULL, pullRequest: { state: 'closed' } })
    const { request: _, ...told } = closed
    await recordDeliveries(db, [told], 0)
  })
  assert.equal(await count(db, 'reviews'), 1)
})

test('a branch of plain git, of whose end nobody ever tells, has ended when it is not heard of for long', async (t) => {
  const db = await cleanedUp(t, (db) => aJob(db, { days: 91, forge: 'git' }))
  assert.equal(await count(db, 'workflow_jobs'), 0)
  assert.equal(await count(db, 'pull_requests'), 0)
})

test('jobs that failed and that nobody looked at are counted when they go', async (t) => {
  const { pool: db } = await createDatabase(t)
  const open = await aJob(db, { days: 100, status: 'FAILED' })
  const looked = await aJob(db, { days: 100, status: 'FAILED' })
  await db.query('update workflow_jobs set discarded_at = now() where id = $1', [looked.jobId])
  await aJob(db, { days: 10, status: 'FAILED' })
  const step = await removeRows(db, OLD_JOBS, { ageSeconds: RETENTION.jobs, after: undefined, limit: 50 })
  assert.deepEqual(step, { removed: 2, notable: 1, next: undefined })
  assert.equal(await exists(db, open), false)
})

test('a delivery is known for longer than its job, and while there is a job, for ever', async (t) => {
  const db = await cleanedUp(t, async (db) => {
    await aJob(db, { days: 119, state: 'merged' })
    await aJob(db, { days: 500, state: 'open', request: { pullRequest: '8' } })
    await aJob(db, { days: 500, state: 'merged', request: { pullRequest: '9' } })
  })
  assert.equal(await count(db, 'workflow_jobs'), 1)
  assert.equal(await count(db, 'deliveries'), 2)
})

test('a delivery that comes again after its job was removed is a duplicate over both paths, and makes no job', async (t) => {
  let delivery = aDelivery()
  const db = await cleanedUp(t, async (db) => {
    delivery = await aJob(db, { days: 100, status: 'FAILED', state: 'merged' })
  })
  assert.equal(await exists(db, delivery), false)

  const known = { jobId: delivery.jobId, status: null, duplicate: true, job: null }
  assert.deepEqual((await recordDeliveries(db, [delivery], 0)).get(delivery.jobId), known)
  const captured = aDelivery({ forge: 'github', digest: delivery.digest, request: delivery.request ?? {} })
  assert.deepEqual((await recordDeliveries(db, [captured], 0)).get(captured.jobId), known)

  const queue = { outboxDelayMs: 5_000, publish: () => assert.fail('there is nothing to publish') }
  await recordIntake(delivery, { db, queue: queue as unknown as JobQueue, log: silentLog })
  await recordIntake(captured, { db, queue: queue as unknown as JobQueue, log: silentLog })
  assert.equal(await count(db, 'workflow_jobs'), 0)
})

test('of the smaller tables, what is settled and old goes, and the rest stays', async (t) => {
  const db = await cleanedUp(t, async (db) => {
    await aJob(db, { days: 0, status: 'PENDING' })
    await db.query(`
      insert into redeliveries (forge, delivery_id, attempt_id, source, event, failed_at, failure, outcome, updated_at)
      select 'github', outcome || age, '1', 'app', 'push', now(), '502', outcome, now() - age * interval '1 day'
      from unnest(array['found', 'requested', 'recovered', 'refused', 'given-up']) outcome, unnest(array[119, 121]) age`)
    await db.query(`
      insert into dismissed_findings (forge, repository, pull_request, finding_id, dismissed_by, dismissed_at)
      select 'github', 'octo/shop', number, 'f' || age, 'mona', now() - age * interval '1 day'
      from unnest(array['7', 'gone']) number, unnest(array[89, 91]) age`)
    await db.query(`
      insert into dead_letters (queue, routing_key, reason, body, digest, settled_at)
      select 'q', 'k', 'r', '', age::text::bytea, now() - nullif(age, 0) * interval '1 day'
      from unnest(array[0, 89, 91]) age`)
    await db.query(`update dead_letters set received_at = now() - interval '10 years'`)
    for (const [table, when] of [
      ['poll_cursors (forge, repository, cursor, updated_at)', `'github', 'octo/' || age, 'c'`],
      ['turns (name, taken_at)', `'turn ' || age`],
    ]) {
      await db.query(
        `insert into ${table} select ${when}, now() - age * interval '1 day' from unnest(array[89, 91]) age`,
      )
    }
  })
  const all = async (sql: string) => (await db.query({ text: sql, rowMode: 'array' })).rows.flat()
  assert.deepEqual(await all('select delivery_id from redeliveries order by 1'), [
    'found119',
    'found121',
    'given-up119',
    'recovered119',
    'refused119',
    'requested119',
    'requested121',
  ])
  assert.deepEqual(await all(`select pull_request || ' ' || finding_id from dismissed_findings order by 1`), [
    '7 f89',
    '7 f91',
    'gone f89',
  ])
  assert.deepEqual(await all('select convert_from(digest, $$utf8$$) from dead_letters order by 1'), [
    '0',
    '89',
  ])
  assert.deepEqual(await all('select repository from poll_cursors'), ['octo/89'])
  assert.deepEqual(await all('select name from turns'), ['turn 89'])
})

test('one statement looks at a bounded number of rows, and the next one goes on behind them', async (t) => {
  const { pool: db } = await createDatabase(t)
  const kept = []
  for (let n = 0; n < 4; n++) kept.push(await aJob(db, { days: 200 }))
  const gone = []
  for (let n = 0; n < 4; n++) gone.push(await aJob(db, { days: 100, status: 'CANCELLED' }))
  // Jobs that ended in one moment have to be told apart all the same.
  await db.query(`update workflow_jobs set finished_at = date_trunc('day', finished_at)`)

  const limit = 3
  const removed: number[] = []
  let after: readonly string[] | undefined
  do {
    const step = await removeRows(db, OLD_JOBS, { ageSeconds: RETENTION.jobs, after, limit })
    removed.push(step.removed)
    after = step.next
  } while (after)
  assert.deepEqual(removed, [0, 2, 2])
  assert.deepEqual(await Promise.all(kept.map((job) => exists(db, job))), [true, true, true, true])
})

test('a job that is being replayed is neither waited for nor removed', async (t) => {
  const { pool: db } = await createDatabase(t)
  const job = await aJob(db, { days: 100, status: 'FAILED' })
  const step = () => removeRows(db, OLD_JOBS, { ageSeconds: RETENTION.jobs, after: undefined, limit: 10 })
  await inTransaction(db, async (other) => {
    await other.query(`update workflow_jobs set status = 'PENDING', finished_at = null`)
    assert.equal((await step()).removed, 0)
  })
  assert.equal((await step()).removed, 0)
  assert.equal(await exists(db, job), true)
})

test('a job that is replayed between the look and the removal stays', async (t) => {
  const { pool: db } = await createDatabase(t)
  const job = await aJob(db, { days: 100, status: 'FAILED' })
  await inTransaction(db, async (holder) => {
    await holder.query('select pg_advisory_xact_lock(42)')
    // Looks at the job, and then waits where it would decide about it.
    const rows = { ...OLD_JOBS, removed: `pg_advisory_xact_lock(42)::text = ''` }
    const removing = removeRows(db, rows, { ageSeconds: RETENTION.jobs, after: undefined, limit: 10 })
    await untilSomebodyWaits(db)
    await transitionJob(db, 'replay', { jobId: job.jobId, actor: 'test', reason: 'test' })
    await holder.query('commit')
    assert.equal((await removing).removed, 0)
  })
  assert.equal(await exists(db, job), true)
})

test('of many processes that start together, one cleans up', async (t) => {
  const { pool: db } = await createDatabase(t)
  await aJob(db, { days: 100, status: 'CANCELLED' })
  // What each of them asks the database: whose turn it is, and only then a step for each table.
  const asked = Array.from({ length: 4 }, (): string[] => [])
  const houses = asked.map((statements) => {
    const query = (sql: string, values: unknown[]) => {
      statements.push(sql)
      return db.query(sql, values)
    }
    return keepHouse({ db: { query } as unknown as DatabasePool, retention: RETENTION, log: silentLog })
  })
  const steps = () => asked.map(({ length }) => length).sort((a, b) => a - b)
  while ((steps().at(-1) ?? 0) < 11) await sleep(10)
  await Promise.all(houses.map((house) => house.stop()))
  assert.deepEqual(steps(), [1, 1, 1, 11])
  assert.equal(await count(db, 'workflow_jobs'), 0)
})

test('a stop ends it between two statements', async (t) => {
  const { pool: db } = await createDatabase(t)
  for (let n = 0; n < 3; n++) await aJob(db, { days: 100, status: 'CANCELLED' })
  const stopping = new AbortController()
  stopping.abort()
  await cleanUp({ db, retention: RETENTION, log: silentLog }, stopping.signal)
  assert.equal(await count(db, 'workflow_jobs'), 3)
})

test('deliveries are remembered for 30 days at least, and never for less than their jobs', () => {
  const days = (env: Record<string, string>) => {
    const { jobs, deliveries } = readRetention(env)
    return [jobs / DAY, deliveries / DAY]
  }
  assert.deepEqual(days({}), [90, 90])
  assert.deepEqual(days({ JOB_RETENTION_DAYS: '1', DELIVERY_RETENTION_DAYS: '30' }), [1, 30])
  assert.deepEqual(days({ JOB_RETENTION_DAYS: '365' }), [365, 365])
  const tooFew = { code: 'CONFIG_INVALID', message: /DELIVERY_RETENTION_DAYS/ }
  assert.throws(() => readRetention({ DELIVERY_RETENTION_DAYS: '29' }), tooFew)
})

test('what no forge was told of goes after two days, unless posting is stopped', async (t) => {
  const { pool: db } = await createDatabase(t)
  const { jobId } = await aJob(db, { days: 3, status: 'FAILED' })
  await db.query(
    `insert into untold_jobs (job_id, run, fence, tell_at, since)
     select $1, days, 0, now(), now() - days * interval '1 day' from generate_series(1, 3) days`,
    [jobId],
  )
  const left = async () => {
    await cleanUp({ db, retention: RETENTION, log: silentLog }, running)
    const { rows } = await db.query('select run from untold_jobs order by run')
    return rows.map(({ run }) => run)
  }
  await putStop(db, { name: 'posting', reason: null, actor: 'mona' })
  assert.deepEqual(await left(), [1, 2, 3])
  await liftStop(db, 'posting')
  assert.deepEqual(await left(), [1])
})
