import type { PullRequestState } from '../jobs/review-request.ts'
import type { Database } from './database.ts'

/**
 * What the forge last told of a review's pull request, where the review is not about that: another head, or
 * nothing open any more. Two rows by their keys, so that every renewal of a lease can ask.
 *
 * @returns undefined while it is, for any other type of job, and once the job's run has committed to posting:
 *   what has begun to appear is posted whole
 */
export async function findSuperseding(
  db: Database,
  jobId: string,
): Promise<Pick<PullRequestState, 'head' | 'state'> | undefined> {
  const { rows } = await db.query<Pick<PullRequestState, 'head' | 'state'>>(
    `select p.head, p.state from workflow_jobs j
     join pull_requests p on (p.forge, p.repository, p.pull_request) = (j.forge, j.repository, j.pull_request)
     where j.id = $1 and j.type = 'code-review' and j.intended_run is distinct from j.run
       and (p.head <> j.payload ->> 'head' or p.state <> 'open')`,
    [jobId],
  )
  return rows[0]
}
