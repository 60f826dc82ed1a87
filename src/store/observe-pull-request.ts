import type { ForgeName, PullRequestState } from '../jobs/review-request.ts'
import type { Database } from './database.ts'

/** What is known of a pull request. */
export interface KnownPullRequest {
  head: string
  state: PullRequestState['state']
  /** What a person told the reviewer: to leave it alone until asked, or for good. */
  hold: 'paused' | 'ignored' | null
}

/**
 * Records what a forge was seen to say of a pull request, unless something newer is known. Of two things that
 * are equally new, the one that was seen counts: webhooks of the same second arrive in any order.
 *
 * @returns what is known after that
 */
export async function observePullRequest(
  db: Database,
  forge: ForgeName,
  seen: PullRequestState & { updatedAt: string },
): Promise<KnownPullRequest> {
  await db.query(
    `insert into pull_requests as known (forge, repository, pull_request, head, state, draft, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (forge, repository, pull_request) do update
       set head = excluded.head, state = excluded.state, draft = excluded.draft, updated_at = excluded.updated_at
       where excluded.updated_at >= known.updated_at`,
    [forge, seen.repository, seen.pullRequest, seen.head, seen.state, seen.draft, seen.updatedAt],
  )
  const { rows } = await db.query<KnownPullRequest>(
    `select head, state, hold from pull_requests where (forge, repository, pull_request) = ($1, $2, $3)`,
    [forge, seen.repository, seen.pullRequest],
  )
  const { head, state } = seen
  return rows[0] ?? { head, state, hold: null }
}
