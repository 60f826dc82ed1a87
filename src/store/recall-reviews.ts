import type { Database } from './database.ts'
import { REVIEW } from './stored-review.ts'

/** What is looked back at, at most: a pull request that goes on for longer hears of old matters again. */
export const MAX_REVIEWS = 200
const MAX_FINDINGS = 5_000

export interface RecalledReviews<Review, Finding> {
  /** The newest one. */
  last: { jobId: string; review: Review } | undefined
  /** Every finding that was said, by its id, as it was last told. */
  said: Map<string, Finding>
  /** Ids of findings that a person told us to forget. */
  dismissed: Set<string>
}

/**
 * What was said about a job's pull request before this run of it; nothing where it names no pull request. What
 * another job has committed to and is still posting counts as said: soon it will be. The order is that of the
 * intents, which is that of the heads: an older review may be posted later, by an attempt that tried again.
 */
export async function recallReviews<Review, Finding extends { id: string }>(
  db: Database,
  job: { id: string; run: number },
): Promise<RecalledReviews<Review, Finding>> {
  const { rows } = await db.query<{
    last: { jobId: string; review: Review } | null
    said: Finding[]
    dismissed: string[]
  }>(RECALL, [job.id, job.run, MAX_REVIEWS, MAX_FINDINGS])
  const { last = null, said = [], dismissed = [] } = rows[0] ?? {}
  return {
    last: last ?? undefined,
    said: new Map(said.map((finding) => [finding.id, finding])),
    dismissed: new Set(dismissed),
  }
}

const RECALL = `
  with job as (
    select forge, repository, pull_request from workflow_jobs where id = $1
  ), reviewed as materialized (
    select r.job_id, ${REVIEW} as review, r.intended_at
    from job
    join workflow_jobs j on (j.forge, j.repository, j.pull_request) = (job.forge, job.repository, job.pull_request)
    join reviews r on r.job_id = j.id and (r.job_id, r.run) <> ($1, $2) and (r.posted_at is not null
      or r.run = j.run and j.status in ('PENDING', 'PROCESSING', 'RETRYING'))
    order by intended_at desc limit $3
  ), said as (
    select distinct on (finding ->> 'id') finding, intended_at
    from reviewed, jsonb_array_elements(review -> 'findings') finding
    order by finding ->> 'id', intended_at desc
  )
  select
    (select jsonb_build_object('jobId', job_id, 'review', review) from reviewed
      order by intended_at desc limit 1) as last,
    (select coalesce(jsonb_agg(finding), '[]') from
      (select finding from said order by intended_at desc limit $4) newest) as said,
    (select coalesce(jsonb_agg(finding_id), '[]') from dismissed_findings d
      join job on (d.forge, d.repository, d.pull_request) = (job.forge, job.repository, job.pull_request)) as dismissed`
