import type { ForgeName } from '../jobs/review-request.ts'
import type { Database } from './database.ts'

/** Ids of the jobs that wait to review a pull request, or do so now. */
export async function listReviewsUnderWay(
  db: Database,
  forge: ForgeName,
  { repository, pullRequest }: { repository: string; pullRequest: string },
): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `select id from workflow_jobs
     where (forge, repository, pull_request) = ($1, $2, $3)
       and type = 'code-review' and status in ('PENDING', 'PROCESSING', 'RETRYING')
     order by created_at`,
    [forge, repository, pullRequest],
  )
  return rows.map((row) => row.id)
}
