import type { Database } from './database.ts'
import type { KnownPullRequest } from './observe-pull-request.ts'

/**
 * Remembers that a person wants the pull request of a command left alone; null: not any more. The pull
 * request has been observed before.
 *
 * @returns false when a command that came later has said something else already
 */
export async function holdPullRequest(
  db: Database,
  jobId: string,
  hold: KnownPullRequest['hold'],
): Promise<boolean> {
  const { rowCount } = await db.query(
    `update pull_requests p set hold = $2, hold_at = j.created_at from workflow_jobs j
     where j.id = $1 and (p.forge, p.repository, p.pull_request) = (j.forge, j.repository, j.pull_request)
       and (p.hold_at is null or p.hold_at <= j.created_at
         -- Said by a clock that has been set back since.
         or p.hold_at > now() + interval '1 minute')`,
    [jobId, hold],
  )
  return rowCount === 1
}
