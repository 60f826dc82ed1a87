import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JobStatus } from '../../src/jobs/job.ts'
import type { Choice } from '../../src/store/choose-fairly.ts'
import { claimJobs } from '../../src/store/claim-jobs.ts'
import { countOpen } from '../../src/store/count-open.ts'
import type { DatabasePool } from '../../src/store/database.ts'
import { deferJobs } from '../../src/store/defer-jobs.ts'
import { findForgotten } from '../../src/store/find-forgotten.ts'
import { findLastReview } from '../../src/store/find-last-review.ts'
import { findOlderCommand } from '../../src/store/find-older-command.ts'
import { findOlderTwin } from '../../src/store/find-older-twin.ts'
import { findReviewsOf } from '../../src/store/find-reviews-of.ts'
import { findSuperseding } from '../../src/store/find-superseding.ts'
import { getJob } from '../../src/store/get-job.ts'
import { lapseLeases } from '../../src/store/lapse-leases.ts'
import { listEvents } from '../../src/store/list-events.ts'
import { listJobs } from '../../src/store/list-jobs.ts'
import { listReviewsUnderWay } from '../../src/store/list-reviews-under-way.ts'
import { measureBacklog } from '../../src/store/measure-backlog.ts'
import { mendClock } from '../../src/store/mend-clock.ts'
import { OLD_CHECKPOINTS } from '../../src/store/old-checkpoints.ts'
import { OLD_DELIVERIES } from '../../src/store/old-deliveries.ts'
import { OLD_JOBS } from '../../src/store/old-jobs.ts'
import { OLD_PULL_REQUESTS } from '../../src/store/old-pull-requests.ts'
import { recallReviews } from '../../src/store/recall-reviews.ts'
import { recordDeliveries } from '../../src/store/record-deliveries.ts'
import { recordIntent } from '../../src/store/record-intent.ts'
import { recordProgress } from '../../src/store/record-progress.ts'
import { removeRows } from '../../src/store/remove-rows.ts'
import { renewLease } from '../../src/store/renew-lease.ts'
import { takeDueJobs } from '../../src/store/take-due-jobs.ts'
import { takeUntold } from '../../src/store/take-untold.ts'
import { transitionJob } from '../../src/store/transition-job.ts'
import { createDatabase } from '../support/database.ts'
import { aDelivery } from '../support/deliveries.ts'
import { scansOf } from './explain.ts'

const JOBS = 100_000
/** As many wait as one burst brings, and a few dozen run. The others finished, the oldest of them 100 days ago. */
const WAITING = 5_000
const RUNNING = 50

/** What grows with use. Every other table holds a handful of rows. */
const GROWING = [
  'workflow_jobs',
  'workflow_job_events',
  'workflow_job_checkpoints',
  'reviews',
  'deliveries',
  'pull_requests',
]

interface Hot {
  does: string
  /** Rows that it may read, in all tables together. */
  atMost: number
  /** Indexes without which it would read more as time goes on. */
  uses?: string[]
  work(db: DatabasePool): Promise<unknown>
}

test('with 100,000 jobs, no hot statement reads a table from end to end, or many more rows than it needs', async (t) => {
  const { url, pool: db } = await createDatabase(t)
  await fill(db)
  const { rows } = await db.query(
    `select distinct on (status) id, status, fence, run from workflow_jobs order by status, created_at desc`,
  )
  const examples = new Map(rows.map((row) => [row.status, row]))
  for (const { does, atMost, uses = [], work } of hotStatements((status) => examples.get(status))) {
    const scans = await scansOf(url, work)
    const whole = scans.filter(({ how, table }) => how === 'Seq Scan' && GROWING.includes(table))
    assert.deepEqual(whole, [], does)
    const read = scans.reduce((sum, scan) => sum + scan.rows, 0)
    assert.ok(scans.length > 0 && read <= atMost, `${does}: ${read} rows read, of ${atMost} at most`)
    const used = scans.map(({ index }) => index)
    for (const index of uses) assert.ok(used.includes(index), `${does}: ${index} is not among ${used}`)
  }
})

function hotStatements(example: (status: JobStatus) => { id: string; run: number; fence: string }): Hot[] {
  const running = example('PROCESSING')
  const waiting = { jobId: example('PENDING').id, fence: example('PENDING').fence }
  const actor = 'worker'
  const pull = { repository: 'octo/r7', pullRequest: '7' }
  const types = ['code-review', 'command']
  const limits = { perRepository: 8, perOrganisation: 32 }
  const choice: Choice = { types, limits, count: 4, withSuspect: true }
  const news = Array.from({ length: 64 }, (_, n) => {
    const request = { repository: `octo/r${n}`, pullRequest: String(n) }
    return aDelivery({ forge: 'github', request, pullRequest: {} })
  })
  const list = (db: DatabasePool) => listJobs(db, { filter: {}, after: undefined, limit: 50 })
  const move = { actor, reason: 'test' }
  const waits = 'workflow_jobs_waiting'
  const runs = 'workflow_jobs_running'
  const ofPull = 'workflow_jobs_pull_request'

  return [
    { does: 'records 64 deliveries', atMost: 1_000, work: (db) => recordDeliveries(db, news, 5_000) },
    {
      does: 'meets a duplicate',
      atMost: 100,
      uses: ['deliveries_pkey', 'deliveries_forge_digest_key'],
      async work(db) {
        await recordDeliveries(db, news.slice(0, 1), 5_000)
        await recordDeliveries(db, news.slice(0, 1), 5_000)
      },
    },
    { does: 'claims', atMost: 5_000, uses: [waits, runs], work: (db) => claimJobs(db, actor, choice) },
    {
      does: 'finds what is forgotten',
      atMost: 5_000,
      uses: [waits, runs],
      work: (db) => findForgotten(db, choice),
    },
    {
      does: 'dispatches 100 jobs',
      atMost: 1_000,
      uses: ['workflow_jobs_due'],
      work: (db) => takeDueJobs(db, { types, limit: 100 }),
    },
    { does: 'defers', atMost: 10, work: (db) => deferJobs(db, [waiting], 3600) },
    { does: 'notices lapses', atMost: 20 * RUNNING, uses: [runs], work: (db) => lapseLeases(db, actor) },
    { does: 'mends the clock', atMost: 4 * WAITING, uses: [waits], work: (db) => mendClock(db) },
    { does: 'renews', atMost: 10, work: (db) => renewLease(db, running.id, running.fence) },
    { does: 'notes progress', atMost: 20, work: (db) => recordProgress(db, running, 'analyse', 50) },
    {
      does: 'replays',
      atMost: 20,
      work: (db) => transitionJob(db, 'replay', { ...move, jobId: example('FAILED').id }),
    },
    {
      does: 'asks what supersedes',
      atMost: 10,
      uses: ['workflow_jobs_pkey', 'pull_requests_pkey'],
      work: (db) => findSuperseding(db, running.id),
    },
    {
      does: 'looks for an older twin',
      atMost: 100,
      uses: ['workflow_jobs_active'],
      work: (db) => findOlderTwin(db, running.id),
    },
    {
      does: 'intends to post',
      atMost: 200,
      uses: [ofPull],
      work: (db) => recordIntent(db, running, { base: 'b', head: 'h' }, {}),
    },
    { does: 'recalls', atMost: 200, uses: [ofPull], work: (db) => recallReviews(db, running) },
    {
      does: 'asks for the last review',
      atMost: 200,
      uses: [ofPull],
      work: (db) => findLastReview(db, 'github', pull),
    },
    {
      does: 'asks for the reviews of a head',
      atMost: 200,
      uses: [ofPull],
      work: (db) => findReviewsOf(db, 'github', { ...pull, head: 'h' }),
    },
    {
      does: 'asks for the reviews under way',
      atMost: 100,
      uses: ['workflow_jobs_active'],
      work: (db) => listReviewsUnderWay(db, 'github', pull),
    },
    {
      does: 'looks for an older command',
      atMost: 200,
      uses: [ofPull],
      work: (db) => findOlderCommand(db, running.id),
    },
    { does: 'shows a job', atMost: 10, work: (db) => getJob(db, running.id) },
    { does: 'lists the newest jobs', atMost: 100, uses: ['workflow_jobs_newest'], work: list },
    {
      does: 'lists what is dead',
      atMost: 100,
      uses: ['workflow_jobs_failed'],
      work: (db) => listJobs(db, { filter: { dead: true }, after: undefined, limit: 50 }),
    },
    { does: 'counts what is open', atMost: 3 * WAITING, uses: ['workflow_jobs_failed'], work: countOpen },
    { does: 'measures the backlog', atMost: 4 * WAITING, uses: [runs], work: measureBacklog },
    {
      does: 'tells the history of a job',
      atMost: 50,
      uses: ['workflow_job_events_job'],
      work: (db) => listEvents(db, [{ jobId: running.id, after: '0' }]),
    },
    {
      does: 'completes',
      atMost: 5 * RUNNING,
      work: (db) => transitionJob(db, 'complete', { ...move, jobId: running.id, fence: running.fence }),
    },
    {
      does: 'looks for what nobody was told of',
      atMost: 200,
      work: (db) => takeUntold(db, { forges: ['github'], limit: 5 }),
    },
    ...[
      { rows: OLD_JOBS, uses: ['workflow_jobs_finished', 'workflow_job_events_job'] },
      { rows: OLD_CHECKPOINTS, uses: ['workflow_job_checkpoints_pkey'] },
      { rows: OLD_DELIVERIES, uses: ['deliveries_received'] },
      { rows: OLD_PULL_REQUESTS, uses: ['pull_requests_pkey', ofPull] },
    ].map(
      ({ rows, uses }): Hot => ({
        does: `removes 200 of ${rows.table}`,
        atMost: 5_000,
        uses,
        work: (db) => removeRows(db, rows, { ageSeconds: 90 * 24 * 3600, after: undefined, limit: 200 }),
      }),
    ),
  ]
}

async function fill(db: DatabasePool): Promise<void> {
  const sql = (text: string) => db.query(text)
  // Five jobs of each of 20,000 pull requests, in 200 repositories of ten owners. Of what waits, most is one burst.
  await sql(`
    insert into workflow_jobs (id, type, version, forge, delivery_id, organisation, repository, pull_request, payload, status,
      due_at, run_at, lease_until, worker, finished_at, created_at, updated_at)
    select gen_random_uuid(), case when n % 20 = 0 then 'command' else 'code-review' end, 1, 'github', 'd' || n,
      'o' || n % 10, case when waits and n % 5 <> 0 then 'octo/burst' else 'octo/r' || n % 200 end,
      (n % 20000)::text, jsonb_build_object('head', md5(n::text), 'title', repeat('t', 200)),
      case when runs then 'PROCESSING' when waits then 'PENDING'
        else case when n % 500 = 0 then 'FAILED' else (array['COMPLETED', 'COMPLETED', 'SUPERSEDED', 'CANCELLED'])[1 + n % 4] end end,
      case when runs or waits then at + interval '1 hour' end, at, case when runs then now() + interval '50 s' end, case when runs then 'worker' end,
      case when not runs and not waits then at end, at, at
    from (select n, n <= ${RUNNING} as runs, n > ${RUNNING} and n <= ${WAITING} as waits,
        now() - n * interval '100 days' / ${JOBS} as at from generate_series(1, ${JOBS}) n) jobs`)
  await sql(`
    insert into workflow_job_events (job_id, run, attempt, to_status, reason, actor)
    select id, 1, 0, status, 'because', 'worker' from workflow_jobs, generate_series(1, 3)`)
  await sql(`
    insert into workflow_job_checkpoints (job_id, run, stage, version, result)
    select id, 1, 'ask-model', 1, '{}' from workflow_jobs where created_at > now() - interval '30 days'`)
  await sql(`
    insert into reviews (job_id, run, base, head, review, intended_at, posted_at)
    select id, 1, 'base', payload ->> 'head', '{"findings": [{"id": "f"}]}', finished_at, finished_at from workflow_jobs where status = 'COMPLETED'`)
  await sql(`
    insert into deliveries (forge, delivery_id, digest, job_id, received_at)
    select forge, delivery_id, sha256(delivery_id::bytea), id, created_at from workflow_jobs
    union all select 'github', 'gone' || n, sha256(('gone' || n)::bytea), gen_random_uuid(), now() - interval '100 days' - n / 64 * interval '1 second'
    from generate_series(1, 20000) n`)
  await sql(`
    insert into pull_requests (forge, repository, pull_request, head, state, draft, updated_at)
    select forge, repository, pull_request, 'h', case when random() < 0.5 then 'open' else 'closed' end, false, max(created_at) from workflow_jobs
    group by 1, 2, 3`)
  await sql('vacuum analyze')
}
