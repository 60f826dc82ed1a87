import type { ForgeName, PullRequestState, ReviewRequest } from '../jobs/review-request.ts'
import type { Database } from './database.ts'

/**
 * Whether a pull request is told of as it was once before, and was known to be otherwise in between: closed and opened
 * again, or made a draft and ready again. A delivery that is made of how it is now has then been used.
 *
 * @param deliveryId of that delivery
 * @param told how it is now
 * @returns what it was in between, and since when: the same until what was told is recorded. Undefined where not so
 */
export async function findTurnedBack(
  db: Database,
  { forge, deliveryId, request }: { forge: ForgeName; deliveryId: string; request: ReviewRequest },
  told: PullRequestState,
): Promise<string | undefined> {
  const { rows } = await db.query<{ otherwise: string }>(
    `select (case when p.state = 'open' then 'draft' else p.state end)
       || to_char(p.updated_at at time zone 'utc', '@YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as otherwise
     from deliveries d
     join pull_requests p on (p.forge, p.repository, p.pull_request) = ($1, $3, $4)
     where d.forge = $1 and d.delivery_id = $2
       and (p.state <> $5 or p.draft and not $6) and p.updated_at <= $7`,
    [forge, deliveryId, request.repository, request.pullRequest, told.state, told.draft, told.updatedAt],
  )
  return rows[0]?.otherwise
}
