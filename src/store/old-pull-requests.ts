import type { ForgeName } from '../jobs/review-request.ts'
import type { OldRows } from './remove-rows.ts'

/** Forges that never tell of a pull request's end: one that is not heard of for long has come to it. */
const WITHOUT_AN_END: readonly ForgeName[] = ['git']

/** SQL: whether a pull request was closed, merged or given up, and not heard of since for the age `$1`. */
export function isPast(pullRequest: string): string {
  const forges = WITHOUT_AN_END.map((forge) => `'${forge}'`).join(', ')
  return `(${pullRequest}.updated_at < now() - $1 * interval '1 second'
    and (${pullRequest}.state <> 'open' or ${pullRequest}.forge in (${forges})))`
}

const KEY = [
  { column: 'forge', type: 'text', before: '' },
  { column: 'repository', type: 'text', before: '' },
  { column: 'pull_request', type: 'text', before: '' },
] as const

/** Pull requests that ended long ago and have no job left. */
export const OLD_PULL_REQUESTS: OldRows = {
  table: 'pull_requests',
  walk: KEY,
  removed: `${isPast('t')} and not exists (select from workflow_jobs j
    where (j.forge, j.repository, j.pull_request) = (t.forge, t.repository, t.pull_request))`,
}

/** What people dismissed in pull requests that are not known any more. */
export const OLD_DISMISSALS: OldRows = {
  table: 'dismissed_findings',
  walk: [...KEY, { column: 'finding_id', type: 'text', before: '' }],
  removed: `t.dismissed_at < now() - $1 * interval '1 second' and not exists (select from pull_requests p
    where (p.forge, p.repository, p.pull_request) = (t.forge, t.repository, t.pull_request))`,
}
