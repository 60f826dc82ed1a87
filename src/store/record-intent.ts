import type { PullRequestState } from '../jobs/review-request.ts'
import type { Database, DatabasePool } from './database.ts'
import { findStops, type Stop } from './find-stops.ts'
import { inTransaction } from './in-transaction.ts'
import { REVIEW } from './stored-review.ts'

export type Intent<Review> =
  /**
   * What will be posted: this attempt's review, or the one an earlier attempt of this run committed to.
   * `postedAt` is null until it was.
   */
  | { granted: true; review: Review; postedAt: Date | null }
  /** Another attempt holds the job, or a person cancelled it. */
  | { granted: false; because: 'lease-lost' }
  /** The pull request is not as it was any more. */
  | { granted: false; because: 'moved-on'; head: string; state: PullRequestState['state'] }
  /**
   * Another job is posting its review of the same commit for the same base branch, or has posted it as the last
   * one: forced back to an older head, a pull request is reviewed again.
   */
  | { granted: false; because: 'already-reviewed'; jobId: string }
  /** An operator has stopped posting. */
  | { granted: false; because: 'posting-stopped'; stop: Stop }

/**
 * Commits to posting a review, before the forge is called. From here on, superseding waits and cancelling
 * is refused. The pull request's row is locked, so that a newer head is recorded either before (and then
 * there is no intent) or after, and so that of two jobs with the same commit one sees the other's intent. Once an
 * operator's stop of posting is committed, no intent is.
 */
export async function recordIntent<Review>(
  pool: DatabasePool,
  job: { id: string; run: number; fence: string },
  commits: { base: string; head: string },
  review: Review,
): Promise<Intent<Review>> {
  return inTransaction(pool, async (db) => {
    if (!(await lockJob(db, job))) return { granted: false, because: 'lease-lost' }
    const known = await findIntent<Review>(db, job)
    if (known) return { granted: true, review: known.review, postedAt: known.postedAt }

    const pullRequest = await lockPullRequest(db, job.id)
    if (pullRequest?.movedOn) {
      const { head, state } = pullRequest
      return { granted: false, because: 'moved-on', head, state }
    }
    const other = pullRequest && (await findOtherIntent(db, job.id, commits.head, review))
    if (other) return { granted: false, because: 'already-reviewed', jobId: other }

    const stop = await findPostingStop(db)
    if (stop) return { granted: false, because: 'posting-stopped', stop }

    await db.query(INTEND, [job.id, commits.base, commits.head, JSON.stringify(review)])
    return { granted: true, review, postedAt: null }
  })
}

async function lockJob(db: Database, job: { id: string; fence: string }): Promise<boolean> {
  const { rowCount } = await db.query(
    `select from workflow_jobs where id = $1 and fence = $2 and status = 'PROCESSING' for update`,
    [job.id, job.fence],
  )
  return rowCount === 1
}

/**
 * What a run has committed to posting; undefined where it has not come this far. `postedAt` is null until it was.
 * `outdated`: another job has committed to a review of the same pull request since.
 */
export async function findIntent<Review>(
  db: Database,
  job: { id: string; run: number },
): Promise<{ review: Review; postedAt: Date | null; outdated: boolean } | undefined> {
  const { rows } = await db.query<{ review: Review; postedAt: Date | null; outdated: boolean }>(
    `select ${REVIEW} as review, r.posted_at as "postedAt", exists (
       select from workflow_jobs j
       join workflow_jobs o on (o.forge, o.repository, o.pull_request) = (j.forge, j.repository, j.pull_request)
       join reviews newer on newer.job_id = o.id and newer.intended_at > r.intended_at
       where j.id = r.job_id and o.id <> j.id) as outdated
     from reviews r where r.job_id = $1 and r.run = $2`,
    [job.id, job.run],
  )
  return rows[0]
}

/** Undefined where the forge has told of no pull request. */
async function lockPullRequest(db: Database, jobId: string) {
  const { rows } = await db.query<Pick<PullRequestState, 'head' | 'state'> & { movedOn: boolean }>(
    `select p.head, p.state, p.head <> j.payload ->> 'head' or p.state <> 'open' as "movedOn"
     from workflow_jobs j
     join pull_requests p on (p.forge, p.repository, p.pull_request) = (j.forge, j.repository, j.pull_request)
     where j.id = $1 for no key update of p`,
    [jobId],
  )
  return rows[0]
}

/** A statement of its own, begun when the lock is held: it sees what whoever held the lock before committed. */
async function findOtherIntent(
  db: Database,
  jobId: string,
  head: string,
  review: unknown,
): Promise<string | undefined> {
  const { rows } = await db.query<{ id: string }>(
    `select o.id from workflow_jobs j
     join workflow_jobs o on (o.forge, o.repository, o.pull_request) = (j.forge, j.repository, j.pull_request)
     join reviews r on r.job_id = o.id and r.head = $2
     where j.id = $1 and o.id <> j.id
       and coalesce(r.review ->> 'baseBranch' = $3::jsonb ->> 'baseBranch', true)
       and 'true' not in (coalesce(j.payload ->> 'force', ''), coalesce(j.payload ->> 'recount', ''))
       and case when r.posted_at is null then r.run = o.run and o.status in ('PENDING', 'PROCESSING', 'RETRYING')
         else not exists (
           select from workflow_jobs n join reviews newer on newer.job_id = n.id
           where (n.forge, n.repository, n.pull_request) = (j.forge, j.repository, j.pull_request)
             and newer.posted_at > r.posted_at) end
     limit 1`,
    [jobId, head, JSON.stringify(review)],
  )
  return rows[0]?.id
}

/** The lock lets other intents pass; whoever wants to stop posting waits until they are committed. */
async function findPostingStop(db: Database): Promise<Stop | undefined> {
  await db.query('lock table stops in share mode')
  return (await findStops(db)).find(({ name }) => name === 'posting')
}

const INTEND = `
  with intended as (
    insert into reviews (job_id, run, base, head, review)
    select id, run, $2, $3, $4 from workflow_jobs where id = $1
    returning job_id, run
  )
  -- In the job's own row too: whoever waits for that row to cancel it must see the intent.
  update workflow_jobs j set intended_run = i.run from intended i where j.id = i.job_id`
