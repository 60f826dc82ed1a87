import { LEASE_SECONDS } from '../jobs/job.ts'
import type { Database } from './database.ts'

/** Extends a running attempt's lease. @returns false when the attempt no longer holds the job and must stop */
export async function renewLease(db: Database, jobId: string, fence: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `update workflow_jobs
     set lease_until = now() + $3 * interval '1 second', due_at = now() + $3 * interval '1 second'
     where id = $1 and fence = $2 and status = 'PROCESSING'`,
    [jobId, fence, LEASE_SECONDS],
  )
  return rowCount === 1
}
