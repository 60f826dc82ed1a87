import type { Database } from './database.ts'

/** A job whose worker stopped renewing its lease is published again sooner. */
const LAPSED_SECONDS = 60

/**
 * Puts off the moment at which waiting jobs are published again. Used after a confirmed publish: the queue
 * has them now. A job that somebody has claimed meanwhile is left alone, even if it waits again: its fencing
 * token has moved.
 */
export async function deferJobs(
  db: Database,
  jobs: readonly { jobId: string; fence: string }[],
  seconds: number,
): Promise<void> {
  await db.query(
    `update workflow_jobs j set due_at = greatest(j.due_at, now() + least($3::int, case j.status when 'PROCESSING' then $4::int end) * interval '1 second')
     from unnest($1::uuid[], $2::bigint[]) as waiting (id, fence)
     where j.id = waiting.id and j.fence = waiting.fence
       and (j.status in ('PENDING', 'RETRYING') or (j.status = 'PROCESSING' and j.lease_until < now()))`,
    [jobs.map((job) => job.jobId), jobs.map((job) => job.fence), seconds, LAPSED_SECONDS],
  )
}
