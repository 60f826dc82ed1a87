import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type RunningLimits, SUSPECT_AFTER_LAPSES } from '../../src/store/choose-fairly.ts'
import { claimJobs } from '../../src/store/claim-jobs.ts'
import type { DatabasePool } from '../../src/store/database.ts'
import { recordDeliveries } from '../../src/store/record-deliveries.ts'
import { type MovedJob, transitionJob } from '../../src/store/transition-job.ts'
import { NO_LIMITS } from '../support/claim-job.ts'
import { createDatabase } from '../support/database.ts'
import { aCommand, aDelivery } from '../support/deliveries.ts'

const TYPES = ['code-review', 'command']

function claim(
  db: DatabasePool,
  count: number,
  { limits = NO_LIMITS, withSuspect = true }: { limits?: RunningLimits; withSuspect?: boolean } = {},
): Promise<MovedJob[]> {
  return claimJobs(db, 'worker', { types: TYPES, limits, count, withSuspect })
}

/** Records jobs of one repository, in order; `pullRequest` null makes each a change of its own. */
async function aBurst(
  db: DatabasePool,
  name: string,
  count: number,
  pullRequest: string | null = null,
): Promise<string[]> {
  const [organisation = ''] = name.split('/')
  const deliveries = Array.from({ length: count }, () =>
    aDelivery({ request: { repository: name, organisation, pullRequest } }),
  )
  await recordDeliveries(db, deliveries, 0)
  return deliveries.map(({ jobId }) => jobId)
}

function repositories(jobs: readonly MovedJob[]): string[] {
  return jobs.map(({ payload }) => payload.repository).sort()
}

async function finish(db: DatabasePool, jobs: readonly MovedJob[]): Promise<void> {
  for (const { id, fence } of jobs) {
    await transitionJob(db, 'complete', { jobId: id, fence, reason: 'done', actor: 'worker' })
  }
}

test('a single job is claimed first behind a burst of 5,000 of another repository that has jobs running', async (t) => {
  const { pool: db } = await createDatabase(t)
  await aBurst(db, 'acme/busy', 5_000)
  await claim(db, 4)
  const [single] = await aBurst(db, 'acme/quiet', 1)
  assert.deepEqual(
    (await claim(db, 1)).map(({ id }) => id),
    [single],
  )
})

test('free slots are shared by organisation first, then by repository', async (t) => {
  const { pool: db } = await createDatabase(t)
  await aBurst(db, 'acme/one', 10)
  await aBurst(db, 'acme/two', 10)
  await aBurst(db, 'octo/only', 10)
  assert.deepEqual(repositories(await claim(db, 4)), ['acme/one', 'acme/two', 'octo/only', 'octo/only'])
})

test('within a repository the oldest job goes first', async (t) => {
  const { pool: db } = await createDatabase(t)
  const [first] = await aBurst(db, 'acme/shop', 1)
  await aBurst(db, 'acme/shop', 5)
  assert.equal((await claim(db, 1))[0]?.id, first)
})

test('of one pull request one review runs at a time, and the next when it has ended', async (t) => {
  const { pool: db } = await createDatabase(t)
  await aBurst(db, 'acme/shop', 5, '7')
  const first = await claim(db, 4)
  assert.equal(first.length, 1)
  assert.deepEqual(await claim(db, 4), [])
  await finish(db, first)
  assert.equal((await claim(db, 4)).length, 1)
})

test('a command does not wait for the review of its pull request, nor behind a burst of reviews', async (t) => {
  const { pool: db } = await createDatabase(t)
  const [organisation, repository] = ['octo', 'octo/shop']
  await aBurst(db, repository, 1_000)
  const review = aDelivery({ forge: 'github', request: { repository, organisation, pullRequest: '7' } })
  await recordDeliveries(db, [review], 0)
  await claim(db, 4)
  const command = aCommand({ repository, organisation, pullRequest: '7' })
  await recordDeliveries(db, [command], 0)
  assert.deepEqual(
    (await claim(db, 1)).map(({ id }) => id),
    [command.jobId],
  )
})

test('no more jobs of a repository or an organisation run than their limits', async (t) => {
  const { pool: db } = await createDatabase(t)
  for (const name of ['acme/one', 'acme/two', 'acme/three', 'octo/only']) await aBurst(db, name, 10)
  const limits = { perRepository: 3, perOrganisation: 5 }
  const claimed: MovedJob[] = []
  for (let round = 0; round < 5; round++) claimed.push(...(await claim(db, 4, { limits })))
  const count = (prefix: string) => repositories(claimed).filter((name) => name.startsWith(prefix)).length
  assert.deepEqual([count('acme/'), count('octo/')], [5, 3])
})

test('claims at the same moment share the jobs, and pass no limit', async (t) => {
  const { pool: db } = await createDatabase(t)
  await aBurst(db, 'acme/shop', 30)
  for (let n = 0; n < 10; n++) await aBurst(db, 'octo/shop', 3, String(n))
  const limits = { perRepository: 12, perOrganisation: 12 }
  // Connected before, so that the claims do come at the same moment.
  await Promise.all(Array.from({ length: 10 }, () => db.query('select pg_sleep(0.1)')))
  const claimed = (await Promise.all(Array.from({ length: 10 }, () => claim(db, 5, { limits })))).flat()
  const ids = new Set(claimed.map(({ id }) => id))
  assert.equal(ids.size, claimed.length)
  const [acme, octo] = ['acme/shop', 'octo/shop'].map((name) =>
    repositories(claimed).filter((r) => r === name),
  )
  assert.equal(acme?.length, 12)
  assert.equal(octo?.length, 10, 'one of each pull request')
})

test('what waits to be tried again is claimed when its moment has come', async (t) => {
  const { pool: db } = await createDatabase(t)
  await aBurst(db, 'acme/shop', 1)
  const [job] = await claim(db, 1)
  assert.ok(job)
  const move = { jobId: job.id, fence: job.fence, reason: 'a test', actor: 'worker' }
  await transitionJob(db, 'retry', { ...move, dueInMs: 60_000 })
  assert.deepEqual(await claim(db, 1), [])
  await db.query('update workflow_jobs set run_at = now()')
  assert.equal((await claim(db, 1)).length, 1)
})

test('types and versions that this build does not know are left for one that does', async (t) => {
  const { pool: db } = await createDatabase(t)
  const [newer, unknown] = await aBurst(db, 'acme/shop', 3)
  await db.query('update workflow_jobs set version = 99 where id = $1', [newer])
  await db.query(`update workflow_jobs set type = 'future' where id = $1`, [unknown])
  assert.equal((await claim(db, 3)).length, 1)
  assert.deepEqual(await claim(db, 3), [])
})

test('one suspect at most is claimed at a time, and none where none is wanted', async (t) => {
  const { pool: db } = await createDatabase(t)
  await aBurst(db, 'acme/shop', 4)
  await db.query('update workflow_jobs set lapses = $1 where id in (select id from workflow_jobs limit 3)', [
    SUSPECT_AFTER_LAPSES,
  ])
  assert.equal((await claim(db, 4, { withSuspect: false })).length, 1)
  assert.equal((await claim(db, 4)).length, 1)
})

test('nothing is claimed while an operator has stopped claiming', async (t) => {
  const { pool: db } = await createDatabase(t)
  await aBurst(db, 'acme/shop', 1)
  await db.query(`insert into stops (name, actor) values ('claiming', 'mona')`)
  assert.deepEqual(await claim(db, 1), [])
  await db.query('delete from stops')
  assert.equal((await claim(db, 1)).length, 1)
})

test('a claim shows in the history of the job, with who claimed it', async (t) => {
  const { pool: db } = await createDatabase(t)
  await aBurst(db, 'acme/shop', 1)
  await claimJobs(db, `o'brien's worker`, { types: TYPES, limits: NO_LIMITS, count: 1, withSuspect: true })
  const { rows } = await db.query(
    `select from_status, to_status, actor, attempt, worker, lease_until > now() as leased
     from workflow_job_events e join workflow_jobs j on j.id = e.job_id where to_status = 'PROCESSING'`,
  )
  assert.deepEqual(rows, [
    {
      from_status: 'PENDING',
      to_status: 'PROCESSING',
      actor: `o'brien's worker`,
      attempt: 1,
      worker: `o'brien's worker`,
      leased: true,
    },
  ])
})

test('a claim that its worker has given up is not made later', async (t) => {
  const { pool: db } = await createDatabase(t)
  await aBurst(db, 'acme/shop', 3)
  const holder = await db.connect()
  await holder.query('begin')
  await holder.query('select pg_advisory_xact_lock(7035114922)')
  await assert.rejects(claim(db, 3), /lock timeout/)
  await holder.query('rollback')
  holder.release()
  assert.equal((await db.query(`select from workflow_jobs where status = 'PROCESSING'`)).rowCount, 0)
})

test('of a pull request whose reviews were both begun to be posted, the older goes first, then the newer', async (t) => {
  const { pool: db } = await createDatabase(t)
  const [older, newer, later] = await aBurst(db, 'acme/shop', 3, '7')
  await db.query(`update workflow_jobs set intended_run = run where id in ($1, $2)`, [older, newer])
  const order: string[] = []
  for (let jobs = await claim(db, 4); jobs.length > 0; jobs = await claim(db, 4)) {
    order.push(...jobs.map(({ id }) => id))
    await finish(db, jobs)
  }
  const begun = [older ?? '', newer ?? ''].sort()
  assert.deepEqual(order, [...begun, later], 'recorded together: told apart by their ids')
})
