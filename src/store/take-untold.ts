import type { JobStatus } from '../jobs/job.ts'
import type { ForgeName } from '../jobs/review-request.ts'
import type { ErrorReport } from '../lib/errors.ts'
import type { Database } from './database.ts'
import type { JobOf } from './transition-job.ts'

/** A review of which its forge was not told what became of it. */
export interface UntoldJob {
  /** As before the move that was not told; its run is the one that is told of. */
  job: JobOf<'code-review'>
  /** What is to be shown, where the caller of the move said so. */
  shows: unknown
  /** Where that move has led; null when more has happened to the job since. */
  status: JobStatus | null
  /** The run was ended, and another one asked for. */
  isReplayed: boolean
  error: ErrorReport | null
  /** Milliseconds until it may be tried again. */
  waitsMs: number
  /** The stages that the run has begun. */
  stages: string[]
  /** Whether it waited to be tried again. */
  hasWaited: boolean
  /** A newer review of the same pull request has begun. */
  isOvertaken: boolean
  /** Milliseconds since that move. */
  ageMs: number
}

/** One try and the next lie as far apart as the move and the first of them, within these bounds. */
const FIRST_WAIT_SECONDS = 60
const LONGEST_WAIT_SECONDS = 600

/**
 * Takes reviews of which nobody has told in the time that it takes, longest waiting first, and keeps other takers off
 * them for a minute or more. None are had while an operator has stopped posting: they wait.
 *
 * @param forges that the caller can tell
 */
export async function takeUntold(
  db: Database,
  { forges, limit }: { forges: readonly ForgeName[]; limit: number },
): Promise<UntoldJob[]> {
  const { rows } = await db.query<UntoldJob>(TAKE, [forges, limit])
  return rows
}

// A moment that lies too far ahead was written by a clock that has been set back since.
const TAKE = `
  with due as (
    select u.job_id, u.run from untold_jobs u join workflow_jobs j on j.id = u.job_id
    where (u.tell_at <= now() or u.tell_at > now() + ${2 * LONGEST_WAIT_SECONDS} * interval '1 second')
      and j.forge = any ($1) and not exists (select from stops where name = 'posting')
    order by u.tell_at limit $2 for update of u skip locked
  ), taken as (
    update untold_jobs u set tell_at = now() + least(${LONGEST_WAIT_SECONDS} * interval '1 second',
      greatest(${FIRST_WAIT_SECONDS} * interval '1 second', now() - u.since))
    from due where (u.job_id, u.run) = (due.job_id, due.run)
    returning u.*
  )
  select
    jsonb_build_object('id', j.id, 'type', j.type, 'version', j.version, 'forge', j.forge, 'deliveryId', j.delivery_id,
      'status', j.status, 'run', u.run, 'attempts', j.attempts, 'lapses', j.lapses, 'fence', u.fence::text,
      'traceparent', j.traceparent, 'payload', j.payload) as job,
    u.shows,
    case when j.run = u.run and j.fence = u.fence + 1 then j.status end as status,
    j.run > u.run as "isReplayed",
    j.error,
    1000 * greatest(0, extract(epoch from j.run_at - now()))::float8 as "waitsMs",
    array(select distinct e.stage from workflow_job_events e
      where e.job_id = u.job_id and e.run = u.run and e.stage is not null) as stages,
    exists (select from workflow_job_events e
      where e.job_id = u.job_id and e.run = u.run and e.stage is null and e.to_status = 'RETRYING') as "hasWaited",
    exists (select from workflow_jobs n
      where (n.forge, n.repository, n.pull_request) = (j.forge, j.repository, j.pull_request) and n.type = j.type
        and (n.created_at, n.id) > (j.created_at, j.id) and n.started_at is not null) as "isOvertaken",
    1000 * extract(epoch from now() - u.since)::float8 as "ageMs"
  from taken u join workflow_jobs j on j.id = u.job_id`
