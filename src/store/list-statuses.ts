import type { JobStatus } from '../jobs/job.ts'
import type { Database } from './database.ts'

/** The status of each of some jobs; unknown ids are left out. */
export async function listStatuses(
  db: Database,
  jobIds: readonly string[],
): Promise<{ jobId: string; status: JobStatus }[]> {
  const { rows } = await db.query<{ jobId: string; status: JobStatus }>(
    `select id as "jobId", status from workflow_jobs where id = any($1)`,
    [jobIds],
  )
  return rows
}
