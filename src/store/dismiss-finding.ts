import type { ForgeName } from '../jobs/review-request.ts'
import type { Database } from './database.ts'

/** Remembers that a person told the reviewer to forget a finding, in this pull request. */
export async function dismissFinding(
  db: Database,
  forge: ForgeName,
  { repository, pullRequest }: { repository: string; pullRequest: string },
  finding: { id: string; dismissedBy: string },
): Promise<void> {
  await db.query(
    `insert into dismissed_findings (forge, repository, pull_request, finding_id, dismissed_by)
     values ($1, $2, $3, $4, $5) on conflict do nothing`,
    [forge, repository, pullRequest, finding.id, finding.dismissedBy],
  )
}
