import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Choice, choiceParameters, chooseFairly } from '../../src/store/choose-fairly.ts'
import { claimJobs } from '../../src/store/claim-jobs.ts'
import type { DatabasePool } from '../../src/store/database.ts'
import { inTransaction } from '../../src/store/in-transaction.ts'
import { OLD_JOBS } from '../../src/store/old-jobs.ts'
import { recordDeliveries } from '../../src/store/record-deliveries.ts'
import { recordProgress } from '../../src/store/record-progress.ts'
import { removeRows } from '../../src/store/remove-rows.ts'
import { transitionJobs } from '../../src/store/transition-job.ts'
import { createDatabase } from '../support/database.ts'
import { aDelivery } from '../support/deliveries.ts'

const JOBS = 20_000
const ROUND = 500
/** What housekeeping leaves of them: the rounds before are removed. */
const KEPT_ROUNDS = 4

const NO_LIMITS = { perRepository: JOBS, perOrganisation: JOBS }
const CHOICE: Choice = { types: ['code-review'], limits: NO_LIMITS, count: ROUND, withSuspect: true }

test('20,000 jobs that come, run and go leave tables as small as what is kept, and claiming as cheap', async (t) => {
  const { pool: db } = await createDatabase(t)
  const sizes: number[] = []
  for (let round = 1; round <= JOBS / ROUND; round++) {
    await liveThrough(db, round)
    await removeAllBut(db, KEPT_ROUNDS * ROUND)
    await vacuumAsAutovacuumWould(db)
    sizes.push(await sizeOf(db))
  }
  const { rows } = await db.query('select count(*)::int as count from workflow_jobs')
  assert.equal(rows[0].count, KEPT_ROUNDS * ROUND)
  // By the time that as much has gone as stays, the tables have the size that they keep.
  const settled = sizes[2 * KEPT_ROUNDS - 1] ?? 0
  assert.ok((sizes.at(-1) ?? Infinity) < 1.5 * settled, `${sizes}`)
  const pages = await pagesToChoose(db)
  assert.ok(pages >= 0 && pages < 100, `choosing among no jobs reads ${pages} pages`)
})

async function liveThrough(db: DatabasePool, round: number): Promise<void> {
  const deliveries = Array.from({ length: ROUND }, (_, n) => {
    const request = {
      repository: `octo/r${n % 50}`,
      pullRequest: `${round}/${n}`,
      description: 'd'.repeat(400),
    }
    return aDelivery({ forge: 'github', request, pullRequest: {} })
  })
  await recordDeliveries(db, deliveries, 0)
  const jobs = await claimJobs(db, 'worker', CHOICE)
  assert.equal(jobs.length, ROUND)
  // Every tenth says how far it is.
  for (const job of jobs.filter((_, n) => n % 10 === 0)) await recordProgress(db, job, 'analyse', 50)
  const done = jobs.map(({ id, fence }) => ({ jobId: id, fence, actor: 'worker', reason: 'done' }))
  assert.equal((await transitionJobs(db, 'complete', done)).length, ROUND)
}

async function removeAllBut(db: DatabasePool, kept: number): Promise<void> {
  await db.query(`update workflow_jobs set finished_at = now() - interval '1 year'
    where finished_at > now() - interval '1 day' and id not in (select id from workflow_jobs order by finished_at desc limit ${kept})`)
  let after: readonly string[] | undefined
  do {
    const step = await removeRows(db, OLD_JOBS, { ageSeconds: 30 * 24 * 3600, after, limit: 200 })
    after = step.next
  } while (after)
}

/** Autovacuum wakes by the clock; its rule for which tables have to be vacuumed does not need one. */
async function vacuumAsAutovacuumWould(db: DatabasePool): Promise<void> {
  await db.query('select pg_stat_force_next_flush()')
  const { rows } = await db.query<{ name: string }>(`
    with setting as (
      select c.oid, c.relname as name, c.reltuples, coalesce(
        (select option_value from pg_options_to_table(c.reloptions) where option_name = 'autovacuum_vacuum_threshold'),
        current_setting('autovacuum_vacuum_threshold'))::float8 as threshold, coalesce(
        (select option_value from pg_options_to_table(c.reloptions) where option_name = 'autovacuum_vacuum_scale_factor'),
        current_setting('autovacuum_vacuum_scale_factor'))::float8 as scale
      from pg_class c where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace)
    select name from setting join pg_stat_user_tables on relid = oid
    where n_dead_tup > threshold + scale * greatest(reltuples, 0)`)
  for (const { name } of rows) await db.query(`vacuum analyze ${name}`)
}

async function sizeOf(db: DatabasePool): Promise<number> {
  const { rows } = await db.query<{ bytes: string }>(
    `select pg_total_relation_size('workflow_jobs') as bytes`,
  )
  return Number(rows[0]?.bytes)
}

/** What claiming costs where nothing waits: dead rows that it steps over are among it. */
async function pagesToChoose(db: DatabasePool): Promise<number> {
  return inTransaction(db, async (session) => {
    await session.query(`prepare choose (int, boolean, int, int) as ${chooseFairly(CHOICE.types)}`)
    const { rows } = await session.query<{ 'QUERY PLAN': [{ Plan: { 'Shared Hit Blocks': number } }] }>(
      `explain (analyze, buffers, format json) execute choose (${choiceParameters(CHOICE).join(', ')})`,
    )
    return rows[0]?.['QUERY PLAN'][0].Plan['Shared Hit Blocks'] ?? -1
  })
}
