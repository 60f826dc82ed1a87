import type { Database } from './database.ts'

export interface Intent<Review> {
  /** What will be posted: this attempt's review, or the one an earlier attempt of this run committed to. */
  review: Review
  /** When it was posted; null until then. */
  postedAt: Date | null
}

/**
 * Commits to posting a review, before the forge is called. From here on, superseding waits and cancelling
 * is refused. The pull request's row is locked, so that a newer head is recorded either before (and then
 * there is no intent) or after.
 *
 * @returns undefined when this attempt may not post: it is stale, or its head is no longer the newest
 */
export async function recordIntent<Review>(
  db: Database,
  job: { id: string; run: number; fence: string },
  commits: { base: string; head: string },
  review: Review,
): Promise<Intent<Review> | undefined> {
  await db.query(
    `with job as (
      select id, run, forge, repository, pull_request, payload from workflow_jobs
      where id = $1 and fence = $2 and status = 'PROCESSING' for update
    ), newest as (
      select p.head, p.state from pull_requests p
      join job j on (p.forge, p.repository, p.pull_request) = (j.forge, j.repository, j.pull_request)
      for share of p
    ), intended as (
      insert into reviews (job_id, run, base, head, review)
      select j.id, j.run, $3, $4, $5 from job j
      where not exists (select from newest n where n.head <> j.payload ->> 'head' or n.state <> 'open')
      on conflict (job_id, run) do nothing
      returning job_id, run
    )
    -- In the job's own row too: whoever waits for that row to cancel it must see the intent.
    update workflow_jobs j set intended_run = i.run from intended i where j.id = i.job_id`,
    [job.id, job.fence, commits.base, commits.head, JSON.stringify(review)],
  )
  const { rows } = await db.query<Intent<Review>>(
    `select r.review, r.posted_at as "postedAt" from reviews r
     join workflow_jobs j on j.id = r.job_id and j.run = r.run
     where j.id = $1 and j.fence = $2 and j.status = 'PROCESSING'`,
    [job.id, job.fence],
  )
  return rows[0]
}
