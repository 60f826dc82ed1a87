import type { Database } from './database.ts'

/**
 * Says which stage a running attempt begins, and how much of the review is done (0–100), in the row and in
 * the job's history. A stale attempt writes nothing.
 */
export async function recordProgress(
  db: Database,
  job: { id: string; fence: string },
  stage: string,
  progress: number,
): Promise<void> {
  await db.query(
    `with running as (
      update workflow_jobs set stage = $3, progress = $4, updated_at = now()
      where id = $1 and fence = $2 and status = 'PROCESSING'
      returning id, run, attempts, status, worker, stage, progress
    )
    insert into workflow_job_events (job_id, run, attempt, from_status, to_status, reason, actor, stage, progress)
    select id, run, attempts, status, status, 'began ' || stage, worker, stage, progress from running`,
    [job.id, job.fence, stage, progress],
  )
}
