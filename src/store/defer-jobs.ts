import type { Database } from './database.ts'

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
    `update workflow_jobs j set due_at = greatest(j.due_at, now() + $3 * interval '1 second')
     from unnest($1::uuid[], $2::bigint[]) as waiting (id, fence)
     where j.id = waiting.id and j.fence = waiting.fence and j.status in ('PENDING', 'RETRYING')`,
    [jobs.map((job) => job.jobId), jobs.map((job) => job.fence), seconds],
  )
}
