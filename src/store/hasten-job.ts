import type { JobStatus } from '../jobs/job.ts'
import type { Database } from './database.ts'

/**
 * Has a waiting job published again now.
 *
 * @returns its status, whatever it is; undefined when there is no such job
 */
export async function hastenJob(db: Database, jobId: string): Promise<JobStatus | undefined> {
  const { rows } = await db.query<{ status: JobStatus }>(
    `with hastened as (
       update workflow_jobs set due_at = now() where id = $1 and status in ('PENDING', 'RETRYING')
     )
     select status from workflow_jobs where id = $1`,
    [jobId],
  )
  return rows[0]?.status
}
