import { KodusError } from '../../lib/errors.ts'
import { reached } from '../../lib/moments.ts'
import type { InlineComment, PostableReview, PostedReview } from '../forge.ts'
import { commentBody, reviewBody } from './bodies.ts'
import { type Position, positionIn } from './diff-positions.ts'
import {
  deletePendingReview,
  findEarlierReview,
  pendingReviewInTheWay,
  reviewMarker,
} from './earlier-review.ts'
import { hasCode, type PullRequestPlace } from './pull-request-place.ts'
import { readDiff } from './read-diff.ts'

/** GitHub allows about 80 requests a minute that create content; where each comment is one, it is not more. */
const MAX_SINGLE_COMMENTS = 60

interface PlacedComment {
  comment: InlineComment
  position: Position
}

interface Comments {
  /** Whether lines are still what they were when the comments were placed. */
  isCurrent: boolean
  placed: PlacedComment[]
  unplaced: InlineComment[]
}

interface PendingReview {
  id: number
  unplaced: InlineComment[]
}

/**
 * Posts the review with its comments, or adopts the one that an earlier attempt of this run got through. It is
 * pending, seen by nobody, until it is submitted by its id: an attempt that was overtaken finds it deleted.
 *
 * @throws KodusError LEASE_LOST, as `ensureOurs` does; those of `findEarlierReview`; GITHUB_REVIEW_GONE
 *   (transient) when the pending review vanished
 */
export async function submitReview(
  place: PullRequestPlace,
  review: PostableReview,
  ensureOurs: () => Promise<void>,
): Promise<PostedReview> {
  const earlier = await findEarlierReview(place, review, ensureOurs)
  if (earlier) return earlier

  const diff = await readDiff(place, review.head)
  const placed: PlacedComment[] = []
  const unplaced: InlineComment[] = []
  for (const comment of review.comments) {
    const position = positionIn(diff.hunks(comment.path), comment)
    if (position) placed.push({ comment, position })
    else unplaced.push(comment)
  }
  await ensureOurs()
  const pending = await createPending(place, review, { ...diff, placed, unplaced }, ensureOurs)
  const { jobId } = review
  reached('review-pending', { jobId })
  try {
    await ensureOurs()
    reached('review-submitting', { jobId })
    const url = await unlessGone(() => submit(place, pending.id), ensureOurs)
    reached('review-submitted', { jobId })
    return { url, adopted: false, unplaced: pending.unplaced.length }
  } catch (error) {
    // Left behind, it is in the way of others, for ten minutes. If it was submitted after all, this fails; and if
    // it fails otherwise, the next review does it. A rate limit wants to be left in peace.
    if (!hasCode(error, 'GITHUB_RATE_LIMITED')) await deletePendingReview(place, pending.id).catch(() => {})
    throw error
  }
}

/** GitHub refuses all comments for one of them, and does not say for which. */
async function createPending(
  place: PullRequestPlace,
  review: PostableReview,
  { isCurrent, placed, unplaced }: Comments,
  ensureOurs: () => Promise<void>,
): Promise<PendingReview> {
  const marker = reviewMarker(place, review)
  try {
    const comments = placed.map((each) => apiComment(place, each))
    const body = reviewBody(marker, review, unplaced)
    const { id } = await create(place, { commit_id: review.head, body, comments })
    return { id, unplaced }
  } catch (error) {
    if (!hasCode(error, 'GITHUB_REFUSED')) throw error
    await ensureOurs()
    const inTheWay = await pendingReviewInTheWay(place)
    if (inTheWay) throw inTheWay
  }

  if (!isCurrent) {
    // Lines of an older head, whose commit may be gone by a force-push: said in the review alone.
    const { id } = await create(place, { body: reviewBody(marker, review, review.comments) })
    return { id, unplaced: review.comments }
  }
  const bare = await create(place, { commit_id: review.head, body: reviewBody(marker, review, unplaced) })
  return await unlessGone(async () => {
    const taken = new Set<InlineComment>()
    for (const each of placed.slice(0, MAX_SINGLE_COMMENTS)) {
      if (await addThread(place, bare.node_id, each)) taken.add(each.comment)
    }
    const left = review.comments.filter((comment) => !taken.has(comment))
    if (left.length > unplaced.length) await rewrite(place, bare.id, reviewBody(marker, review, left))
    return { id: bare.id, unplaced: left }
  }, ensureOurs)
}

async function create(
  { octokit, pull }: PullRequestPlace,
  review: { commit_id?: string; body: string; comments?: ReturnType<typeof apiComment>[] },
) {
  const { data } = await octokit.request('POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews', {
    ...pull,
    ...review,
  })
  return { ...data, id: Number(data.id) }
}

function apiComment({ markers }: PullRequestPlace, { comment, position }: PlacedComment) {
  const { startLine, line, suggestable } = position
  return {
    path: comment.path,
    body: commentBody(markers.write('finding', comment.id), comment, suggestable),
    line,
    side: 'RIGHT' as const,
    ...(startLine < line ? { start_line: startLine, start_side: 'RIGHT' as const } : {}),
  }
}

const ADD_THREAD = `mutation AddReviewThread($thread: AddPullRequestReviewThreadInput!) {
  addPullRequestReviewThread(input: $thread) { thread { id } }
}`

/** @returns whether GitHub took it. For lines outside its diff, it may also answer with no thread and no error. */
async function addThread(
  place: PullRequestPlace,
  pullRequestReviewId: string,
  placed: PlacedComment,
): Promise<boolean> {
  const { start_line, start_side, ...comment } = apiComment(place, placed)
  const range = start_line === undefined ? {} : { startLine: start_line, startSide: start_side }
  try {
    const { addPullRequestReviewThread: added } = await place.octokit.graphql<{
      addPullRequestReviewThread: { thread: { id: string } | null } | null
    }>(ADD_THREAD, {
      thread: { pullRequestReviewId, ...comment, ...range },
    })
    return Boolean(added?.thread)
  } catch (error) {
    if (hasCode(error, 'GITHUB_REFUSED')) return false
    throw error
  }
}

async function rewrite({ octokit, pull }: PullRequestPlace, id: number, body: string): Promise<void> {
  await octokit.request('PUT /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}', {
    ...pull,
    review_id: id,
    body,
  })
}

async function submit({ octokit, pull }: PullRequestPlace, id: number): Promise<string> {
  const { data } = await octokit.request(
    'POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}/events',
    { ...pull, review_id: id, event: 'COMMENT' },
  )
  return data.html_url
}

/** Work on the pending review, which is gone when another attempt took the job over. */
async function unlessGone<Result>(
  work: () => Promise<Result>,
  ensureOurs: () => Promise<void>,
): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (!hasCode(error, 'GITHUB_NOT_FOUND', 'GITHUB_REFUSED')) throw error
    await ensureOurs()
    throw new KodusError('GITHUB_REVIEW_GONE', 'The pending review was gone before it could be submitted.', {
      help: 'Nothing to do: it is made anew by itself. If it goes on, look who else posts with the same account.',
      retryability: 'transient',
      cause: error,
    })
  }
}
