import type { Database } from './database.ts'

/**
 * Leaves a job to a component that knows its type: it is due again after `seconds`, however far a publish had
 * put it off. The fencing token moves, so that a publish confirmed late does not put it off once more.
 */
export async function leaveJob(db: Database, jobId: string, seconds: number): Promise<void> {
  await db.query(
    `update workflow_jobs set due_at = now() + $2 * interval '1 second', fence = fence + 1
     where id = $1 and (status in ('PENDING', 'RETRYING') or (status = 'PROCESSING' and lease_until < now()))`,
    [jobId, seconds],
  )
}
