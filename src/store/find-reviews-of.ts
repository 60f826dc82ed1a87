import type { ForgeName } from '../jobs/review-request.ts'
import type { Database } from './database.ts'

export interface ReviewsOfHead {
  /** A job for it is or was there, other than those that a newer head or the pull request's closing ended. */
  asked: boolean
  /** A job for it waits or runs. */
  underWay: boolean
  /** Its review was posted, and for the same base branch where both are known. */
  posted: boolean
}

interface HeadToReview {
  repository: string
  pullRequest: string
  head: string
  baseBranch?: string
}

/**
 * How far the review of one commit of a pull request has come. What came before the last review of another
 * commit does not count: a force-push back to an old head is something new.
 */
export async function findReviewsOf(
  db: Database,
  forge: ForgeName,
  { repository, pullRequest, head, baseBranch }: HeadToReview,
): Promise<ReviewsOfHead> {
  const { rows } = await db.query<ReviewsOfHead>(
    `select
       coalesce(bool_or(j.status <> 'SUPERSEDED'
         and (j.status <> 'CANCELLED' or j.error ->> 'code' is distinct from 'PULL_REQUEST_CLOSED')), false) as asked,
       coalesce(bool_or(j.status in ('PENDING', 'PROCESSING', 'RETRYING')), false) as "underWay",
       coalesce(bool_or(exists (select from reviews r
         where r.job_id = j.id and r.head = $4 and r.posted_at is not null
           and coalesce(r.review ->> 'baseBranch' = $5, true))), false) as posted
     from workflow_jobs j
     where (j.forge, j.repository, j.pull_request) = ($1, $2, $3)
       and j.type = 'code-review' and j.payload ->> 'head' = $4
       and j.created_at > coalesce((
         select max(o.created_at) from workflow_jobs o join reviews r on r.job_id = o.id
         where (o.forge, o.repository, o.pull_request) = ($1, $2, $3)
           and r.posted_at is not null and r.head <> $4), '-infinity')`,
    [forge, repository, pullRequest, head, baseBranch ?? null],
  )
  return rows[0] ?? { asked: false, underWay: false, posted: false }
}
