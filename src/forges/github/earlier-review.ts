import { KodusError } from '../../lib/errors.ts'
import type { PostedReview } from '../forge.ts'
import { listAll, PER_PAGE } from './list-all.ts'
import { hasCode, isOurs, type PullRequestPlace } from './pull-request-place.ts'

/** A pending review of another job that is younger may still be submitted by its worker. */
const MAX_PENDING_AGE_MS = 10 * 60_000

const ASK_AGAIN_MS = 15_000

/** Each time after three times as long: a job's few attempts outlast one that was left behind. */
const ASK_AGAIN_FACTOR = 3

interface JobRun {
  jobId: string
  run: number
}

/** The review's marker: when it was begun tells how long another job must respect it. */
export function reviewMarker(
  { markers }: PullRequestPlace,
  { jobId, run }: JobRun,
  now = Date.now(),
): string {
  return markers.write('review', jobId, String(run), String(Math.floor(now / 1000)))
}

/**
 * What earlier attempts left at GitHub: the review, if one of this run was submitted; and no pending review of
 * ours that would be in the way, when this returns (GitHub allows one an account and pull request).
 *
 * @param stillOurs asked before anything is deleted
 * @throws KodusError GITHUB_REVIEW_IN_PROGRESS (transient) while another job's review is pending,
 *   GITHUB_PENDING_REVIEW where a person has begun one with our account
 */
export async function findEarlierReview(
  place: PullRequestPlace,
  job: JobRun & { comments: readonly unknown[] },
  ensureOurs: () => Promise<void>,
): Promise<PostedReview | undefined> {
  const ours = await listOurReviews(place)
  const submitted = ours.find(
    ({ state, marker }) => state !== 'PENDING' && marker?.jobId === job.jobId && marker.run === job.run,
  )
  const pending = ours.filter(({ state }) => state === 'PENDING')
  for (const { id, marker } of pending) {
    if (marker?.jobId !== job.jobId) {
      // The work of this run is done: whoever else is at it does not disturb.
      if (submitted) continue
      if (!marker) throw pendingReview(place.us.login)
      if (ageOf(marker) < MAX_PENDING_AGE_MS) throw reviewInProgress(ageOf(marker))
    }
    await ensureOurs()
    await deletePendingReview(place, id)
  }
  if (!submitted) return undefined
  const unplaced = job.comments.length - (await countFindings(place, submitted.id))
  return { url: submitted.html_url, adopted: true, unplaced: Math.max(0, unplaced) }
}

/** Why GitHub would refuse something new of ours: the pending review that is in the way, if one is. */
export async function pendingReviewInTheWay(place: PullRequestPlace): Promise<KodusError | undefined> {
  const pending = (await listOurReviews(place)).find(({ state }) => state === 'PENDING')
  if (!pending) return undefined
  return pending.marker ? reviewInProgress(ageOf(pending.marker)) : pendingReview(place.us.login)
}

/** @throws KodusError GITHUB_REVIEW_IN_PROGRESS when it was submitted meanwhile: look again */
export async function deletePendingReview({ octokit, pull }: PullRequestPlace, id: number): Promise<void> {
  try {
    await octokit.request('DELETE /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}', {
      ...pull,
      review_id: id,
    })
  } catch (error) {
    if (hasCode(error, 'GITHUB_NOT_FOUND')) return
    throw hasCode(error, 'GITHUB_REFUSED') ? reviewInProgress(0, error) : error
  }
}

async function listOurReviews(place: PullRequestPlace) {
  const { octokit, pull, markers } = place
  const reviews = await listAll(async (page) => {
    const { data, headers } = await octokit.request('GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews', {
      ...pull,
      per_page: PER_PAGE,
      page,
    })
    return { items: data, headers }
  })
  return reviews
    .filter((review) => isOurs(place, review))
    .map(({ id, state, html_url, body }) => {
      const [jobId = '', run, seconds] = markers.read('review', body) ?? []
      const marker = jobId === '' ? undefined : { jobId, run: Number(run), begunAt: Number(seconds) * 1000 }
      return { id: Number(id), state, html_url, marker }
    })
}

async function countFindings(
  { octokit, pull, markers }: PullRequestPlace,
  reviewId: number,
): Promise<number> {
  const comments = await listAll(async (page) => {
    const { data, headers } = await octokit.request(
      'GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}/comments',
      { ...pull, review_id: reviewId, per_page: PER_PAGE, page },
    )
    return { items: data, headers }
  })
  return comments.filter(({ body }) => markers.read('finding', body)).length
}

/** By our clock, which may be another than the one that it was begun by. */
function ageOf({ begunAt }: { begunAt: number }): number {
  return Math.abs(Date.now() - begunAt)
}

function reviewInProgress(ageMs: number, cause?: unknown): KodusError {
  const leftMs = Math.max(ASK_AGAIN_MS, MAX_PENDING_AGE_MS - ageMs)
  return new KodusError(
    'GITHUB_REVIEW_IN_PROGRESS',
    'Another review of ours is being posted on this pull request, and GitHub allows one at a time.',
    {
      help: 'Nothing to do: it is tried again by itself. One that was left behind is deleted after 10 minutes.',
      retryability: 'transient',
      retryAfterMs: Math.min(Math.max(ASK_AGAIN_MS, ASK_AGAIN_FACTOR * ageMs), leftMs),
      cause,
    },
  )
}

function pendingReview(login: string): KodusError {
  return new KodusError(
    'GITHUB_PENDING_REVIEW',
    `The account ${login} has begun a review of this pull request by hand, and GitHub allows one at a time.`,
    {
      help: `Submit or discard the pending review of ${login}, then replay the job. A GitHub App, or an account of its own for GITHUB_TOKEN, keeps reviews by hand apart.`,
    },
  )
}
