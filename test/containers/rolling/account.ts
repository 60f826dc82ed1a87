import type { Pool } from 'pg'
import { percentile } from '../../../bench/support/statistics.ts'
import { groupBy } from '../../../chaos/group-by.ts'
import { jobIdOf } from '../../../src/jobs/review-request.ts'
import type { Request } from './load.ts'

/** What became of the webhooks that were accepted, as the database has it; each one named. */
export interface Account {
  /** Accepted, and without a completed job, or not recorded as closed. */
  lost: string[]
  /** More than one job of a change, or more than one completion or review of a job. */
  duplicated: string[]
  jobs: number
}

/** What happened at the load between two moments. */
export interface Window {
  requests: number
  failed: Request[]
  /** Milliseconds, of what was answered. */
  p99: number
}

export function windowOf(
  ledger: readonly Request[],
  to: Request['to'],
  { from, until }: { from: number; until: number },
): Window {
  const within = ledger.filter((request) => request.to === to && request.due >= from && request.due < until)
  const times = within.filter(({ failure }) => failure === undefined).map(({ ms }) => ms)
  return {
    requests: within.length,
    failed: within.filter(({ failure }) => failure !== undefined),
    p99: percentile(times, 99),
  }
}

/** How many jobs have not ended yet. */
export async function unfinished(db: Pool): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    'select count(*)::int as count from workflow_jobs where finished_at is null',
  )
  return rows[0]?.count ?? 0
}

/** Accounts for each webhook that was answered 2xx. */
export async function takeAccount(db: Pool, ledger: readonly Request[]): Promise<Account> {
  const accepted = ledger.filter(({ webhook, failure }) => webhook && failure === undefined)
  const { rows: jobs } = await db.query<{
    id: string
    status: string
    change: string
    completions: number
    reviews: number
  }>(
    `select j.id, j.status, j.payload ->> 'branch' as change,
       (select count(*)::int from workflow_job_events e
        where e.job_id = j.id and e.stage is null and e.to_status = 'COMPLETED') as completions,
       (select count(*)::int from reviews r where r.job_id = j.id) as reviews
     from workflow_jobs j`,
  )
  const { rows: closed } = await db.query<{ number: string }>(
    `select pull_request as number from pull_requests where forge = 'github' and state = 'closed'`,
  )
  const byId = new Map(jobs.map((job) => [job.id, job]))
  const isClosed = new Set(closed.map(({ number }) => number))
  const lost = accepted.flatMap(({ webhook, jobId }) => {
    if (!webhook) return []
    const { kind, deliveryId, subject } = webhook
    if (kind === 'closed') return isClosed.has(subject) ? [] : [`${subject} was not recorded as closed`]
    if (jobId !== jobIdOf('git', deliveryId)) return [`delivery ${deliveryId} was answered with job ${jobId}`]
    const status = byId.get(jobId)?.status ?? 'not there'
    return status === 'COMPLETED' ? [] : [`job ${jobId} is ${status}`]
  })
  const changes = groupBy(jobs, ({ change }) => change)
  return {
    lost: [...new Set(lost)],
    duplicated: [
      ...[...changes]
        .filter(([, of]) => of.length > 1)
        .map(([change, of]) => `${change} has ${of.length} jobs`),
      ...jobs
        .filter(({ completions, reviews }) => completions > 1 || reviews > 1)
        .map(({ id, completions, reviews }) => `job ${id}: ${completions} completions, ${reviews} reviews`),
    ],
    jobs: jobs.length,
  }
}

/** The id of the newest line of any job's history: what happens later has a higher one. */
export async function newestEvent(db: Pool): Promise<number> {
  const { rows } = await db.query<{ id: number }>(
    'select coalesce(max(id), 0)::int as id from workflow_job_events',
  )
  return rows[0]?.id ?? 0
}

/** Attempts that ended other than by an end of their job: handed back, taken over, or to be tried again. */
export async function interruptedSince(db: Pool, event: number): Promise<string[]> {
  const { rows } = await db.query<{ what: string }>(
    `select format('job %s: %s (%s)', job_id, reason, actor) as what from workflow_job_events
     where id > $1 and stage is null and from_status = 'PROCESSING' and to_status in ('PENDING', 'RETRYING')`,
    [event],
  )
  return rows.map(({ what }) => what)
}

export interface RunningJob {
  id: string
  /** The container: the first digits of its id. */
  worker: string
}

export async function runningJobs(db: Pool): Promise<RunningJob[]> {
  const { rows } = await db.query<RunningJob>(
    `select id, split_part(worker, ':', 1) as worker from workflow_jobs where status = 'PROCESSING' order by id`,
  )
  return rows
}

/** Who completed these jobs, as far as they are completed. */
export async function completedBy(db: Pool, jobs: readonly RunningJob[]): Promise<RunningJob[]> {
  const { rows } = await db.query<RunningJob>(
    `select job_id as id, split_part(actor, ':', 1) as worker from workflow_job_events
     where job_id = any($1::uuid[]) and stage is null and to_status = 'COMPLETED' order by job_id`,
    [jobs.map(({ id }) => id)],
  )
  return rows
}

/** How many of these deliveries of GitHub's are recorded. */
export async function countRecorded(db: Pool, deliveries: readonly string[]): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    `select count(distinct job_id)::int as count from deliveries where forge = 'github' and delivery_id = any($1)`,
    [deliveries],
  )
  return rows[0]?.count ?? 0
}
