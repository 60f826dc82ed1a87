import type { ForgeName } from '../jobs/review-request.ts'
import type { Database } from './database.ts'

/** The newest review of a pull request that was posted. */
export interface LastReview {
  jobId: string
  head: string
  /** Null where its request named none. */
  baseBranch: string | null
}

/** @returns undefined before the first one */
export async function findLastReview(
  db: Database,
  forge: ForgeName,
  { repository, pullRequest }: { repository: string; pullRequest: string },
): Promise<LastReview | undefined> {
  const { rows } = await db.query<LastReview>(
    `select r.job_id as "jobId", r.head, r.review ->> 'baseBranch' as "baseBranch"
     from workflow_jobs j join reviews r on r.job_id = j.id
     where (j.forge, j.repository, j.pull_request) = ($1, $2, $3) and r.posted_at is not null
     order by r.intended_at desc limit 1`,
    [forge, repository, pullRequest],
  )
  return rows[0]
}
