import { isPast } from './old-pull-requests.ts'
import { MAX_REVIEWS } from './recall-reviews.ts'
import type { OldRows } from './remove-rows.ts'

/**
 * Jobs that finished long ago, and with them their events, checkpoints and reviews. A job stays while its review is
 * one that the next review of the same pull request looks back at: without it, everything would be said again.
 * Counted apart: those that failed, and that nobody has replayed or discarded.
 */
export const OLD_JOBS: OldRows = {
  table: 'workflow_jobs',
  walk: [
    { column: 'finished_at', type: 'timestamptz', before: '-infinity' },
    { column: 'id', type: 'uuid', before: '00000000-0000-0000-0000-000000000000' },
  ],
  met: `t.finished_at < now() - $1 * interval '1 second'`,
  removed: `not (
    exists (select from pull_requests p
      where (p.forge, p.repository, p.pull_request) = (t.forge, t.repository, t.pull_request) and not ${isPast('p')})
    and exists (select from reviews r where r.job_id = t.id and r.posted_at is not null
      and not exists (
        select from workflow_jobs o join reviews newer on newer.job_id = o.id
        where (o.forge, o.repository, o.pull_request) = (t.forge, t.repository, t.pull_request)
          and newer.posted_at is not null and newer.intended_at > r.intended_at
        offset ${MAX_REVIEWS - 1})))`,
  notable: `t.status = 'FAILED' and t.discarded_at is null`,
}
