import { KodusError } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import type { PostableReview, PostedReview, ReviewPoster } from '../forge.ts'
import type { GitHubClient } from './client.ts'
import { concludeCheckRun } from './conclude-check-run.ts'
import { postFollowUps } from './follow-ups.ts'
import { findPlace, isPermanent, type PullRequestPlace } from './pull-request-place.ts'
import { submitReview } from './submit-review.ts'
import { putSummary } from './summary-comment.ts'

/**
 * Posts to GitHub: a review with its comments where there are any, answers to what earlier reviews said, the
 * one summary comment, and the end of the check run. Each step looks first at what an earlier attempt of the
 * run left there. Where the review is posted, a missing permission for the steps after it is logged, not thrown.
 */
export function createGitHubPoster({
  client,
  markerKey,
  log,
}: {
  client: GitHubClient
  /** Whoever has it can write markers: it is the installation's own, 32 random bytes. */
  markerKey: Buffer
  log: Log
}): ReviewPoster {
  return {
    async post(request, review, stillOurs, signal) {
      const ensureOurs = async () => {
        if (!(await stillOurs())) throw leaseLost()
      }
      const place = await findPlace({ client, markerKey }, request, signal)
      const posted = review.comments.length > 0 ? await submitReview(place, review, ensureOurs) : undefined
      await ensureOurs()
      await postFollowUps(place, review, log)
      await ensureOurs()
      const summaryUrl = await postSummary(place, review, posted, log)
      await ensureOurs()
      await concludeCheckRun(place, review, log)
      return posted ?? { url: summaryUrl, adopted: false, unplaced: 0 }
    },
  }
}

async function postSummary(
  place: PullRequestPlace,
  review: PostableReview,
  posted: PostedReview | undefined,
  log: Log,
): Promise<string | null> {
  if (review.summary === null) return null
  try {
    return await putSummary(place, review.summary)
  } catch (error) {
    place.signal.throwIfAborted()
    // Without a review, the summary is all there is to see.
    if (!posted || !isPermanent(error)) throw error
    log.warn(
      { jobId: review.jobId, code: error.code },
      `could not post the summary: ${error.message} ${error.help}`,
    )
    return null
  }
}

function leaseLost(): KodusError {
  return new KodusError('LEASE_LOST', 'The job was cancelled or taken over while its review was posted.', {
    help: "Nothing to do: the job's events say what happened.",
  })
}
