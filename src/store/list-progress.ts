import type { JobStatus } from '../jobs/job.ts'
import type { Database } from './database.ts'

export interface JobProgress {
  jobId: string
  status: JobStatus
  stage: string | null
  progress: number
}

/** Where each of some jobs stands now; unknown ids are left out. */
export async function listProgress(db: Database, jobIds: readonly string[]): Promise<JobProgress[]> {
  const { rows } = await db.query<JobProgress>(
    `select id as "jobId", status, stage, progress from workflow_jobs where id = any($1)`,
    [jobIds],
  )
  return rows
}
