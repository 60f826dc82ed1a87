import type { JobStatus } from '../jobs/job.ts'
import type { JobPayloads, JobTypeName } from '../jobs/review-request.ts'
import type { ErrorReport } from '../lib/errors.ts'
import type { Database } from './database.ts'
import { REVIEW } from './stored-review.ts'

/** A job as people see it, told apart by `type`. Times are the database's. */
export type JobView = {
  [Type in JobTypeName]: Columns & { type: Type; payload: JobPayloads[Type] }
}[JobTypeName]

interface Columns {
  id: string
  status: JobStatus
  forge: string
  deliveryId: string
  organisation: string
  repository: string
  pullRequest: string | null
  run: number
  attempts: number
  stage: string | null
  progress: number
  error: ErrorReport | null
  createdAt: Date
  updatedAt: Date
  startedAt: Date | null
  finishedAt: Date | null
  /** When a person put a FAILED job aside. */
  discardedAt: Date | null
}

export const JOB_COLUMNS = `j.id, j.type, j.status, j.forge, j.delivery_id as "deliveryId", j.organisation, j.repository,
  j.pull_request as "pullRequest", j.payload, j.run, j.attempts, j.stage, j.progress, j.error,
  j.created_at as "createdAt", j.updated_at as "updatedAt", j.started_at as "startedAt",
  j.finished_at as "finishedAt", j.discarded_at as "discardedAt"`

/** One job with the review of its current run; `review` stays null until that is posted. */
export async function getJob<Review>(
  db: Database,
  jobId: string,
): Promise<(JobView & { review: Review | null; reviewUrl: string | null }) | undefined> {
  const { rows } = await db.query<JobView & { review: Review | null; reviewUrl: string | null }>(
    `select ${JOB_COLUMNS}, ${REVIEW} as review, r.url as "reviewUrl" from workflow_jobs j
     left join reviews r on r.job_id = j.id and r.run = j.run and r.posted_at is not null
     where j.id = $1`,
    [jobId],
  )
  return rows[0]
}
