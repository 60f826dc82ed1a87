import type { Database } from './database.ts'

/** Puts a waiting job off, for a component that knows its type: this one does not. */
export async function leaveJob(db: Database, jobId: string, seconds: number): Promise<void> {
  await db.query(
    `update workflow_jobs set due_at = greatest(due_at, now() + $2 * interval '1 second')
     where id = $1 and status in ('PENDING', 'RETRYING')`,
    [jobId, seconds],
  )
}
