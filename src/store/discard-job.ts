import type { Database } from './database.ts'

/**
 * Marks a FAILED job as looked at: it stays as it is, and is no longer listed among the dead. Its history says who
 * did it. A replay takes the mark off.
 *
 * @returns false when the job is not FAILED, was discarded before, or does not exist
 */
export async function discardJob(
  db: Database,
  { jobId, reason, actor }: { jobId: string; reason: string; actor: string },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `with discarded as (
       update workflow_jobs set discarded_at = now(), updated_at = now()
       where id = $1 and status = 'FAILED' and discarded_at is null
       returning id, run, attempts, status
     )
     insert into workflow_job_events (job_id, run, attempt, from_status, to_status, reason, actor)
     select id, run, attempts, status, status, $2, $3 from discarded`,
    [jobId, reason, actor],
  )
  return rowCount === 1
}
