import { findPosition, lineAtPosition } from '../model/diff.ts'
import type {
  Author,
  Place,
  PullRecord,
  ReviewCommentRecord,
  ReviewRecord,
  State,
  ThreadRecord,
} from '../model/state.ts'
import { presentReview, presentReviewComment } from '../present/conversation.ts'
import { presentPullInList } from '../present/pulls.ts'
import type { World } from '../world.ts'
import { touch } from './pulls.ts'

// What happens to reviews and their threads, whoever makes it happen.

/** Where somebody wants to comment, in the API's terms. */
export interface WantedPlace {
  path: string
  line?: number
  side?: string
  start_line?: number
  start_side?: string
  position?: number
  subject_type?: string
}

export type Found = { place: Place } | { problem: 'path' | 'line' | 'start_line' | 'order' }

/** Finds a place in the diff of a pull request as it is, or was, at a commit. */
export function findPlace(state: State, pull: PullRecord, commit: string, wanted: WantedPlace): Found {
  const file = state.diff(pull, commit).find(({ path }) => path === wanted.path)
  if (!file) return { problem: 'path' }
  const whole = wanted.subject_type === 'file'
  if (whole) return { place: { path: file.path, side: 'RIGHT', diffHunk: file.patch ?? '', commit } }
  const { patch } = file
  if (patch === undefined) return { problem: 'line' }
  const asked =
    wanted.position === undefined
      ? wanted.line === undefined
        ? undefined
        : { side: toSide(wanted.side, 'RIGHT'), line: wanted.line }
      : lineAtPosition(patch, wanted.position)
  const found = asked && findPosition(patch, asked.side, asked.line)
  if (!asked || !found) return { problem: 'line' }
  const { position, diffHunk, hunk } = found
  const place: Place = { path: file.path, ...asked, position, diffHunk, commit }
  if (wanted.start_line === undefined) return { place }
  const startSide = toSide(wanted.start_side, asked.side)
  const start = findPosition(patch, startSide, wanted.start_line)
  if (start?.hunk !== hunk) return { problem: 'start_line' }
  if (start.position >= position) return { problem: 'order' }
  return { place: { ...place, startLine: wanted.start_line, startSide } }
}

function toSide(side: string | undefined, otherwise: 'LEFT' | 'RIGHT'): 'LEFT' | 'RIGHT' {
  return side === 'LEFT' || side === 'RIGHT' ? side : otherwise
}

export function pendingReview(pull: PullRecord, author: Author): ReviewRecord | undefined {
  return pull.reviews.find(
    (review) => review.state === 'PENDING' && review.author.account.id === author.account.id,
  )
}

/** A pending review with these comments: nobody but its author sees any of it. */
export function startReview(
  world: World,
  pull: PullRecord,
  author: Author,
  review: { commit: string; body: string; comments: { place: Place; body: string }[] },
): ReviewRecord {
  const record: ReviewRecord = {
    id: world.state.nextId(),
    pull,
    author,
    body: review.body,
    state: 'PENDING',
    commit: review.commit,
    createdAt: world.clock.timestamp(),
    submittedAt: null,
  }
  pull.reviews.push(record)
  for (const { place, body } of review.comments) startThread(world, record, place, body)
  return record
}

/** A thread with its first comment, which is the review's. */
export function startThread(world: World, review: ReviewRecord, place: Place, body: string): ThreadRecord {
  const { pull } = review
  const thread = { id: world.state.nextId(), pull, place, resolvedBy: null, comments: [] }
  pull.threads.push(thread)
  addToThread(world, thread, review, body)
  return thread
}

export function replyInThread(world: World, thread: ThreadRecord, author: Author, body: string) {
  const { pull } = thread
  const review = startReview(world, pull, author, { commit: pull.head.sha, body: '', comments: [] })
  const comment = addToThread(world, thread, review, body)
  submitReview(world, review, 'COMMENTED')
  return comment
}

export function submitReview(world: World, review: ReviewRecord, state: ReviewRecord['state']): void {
  const now = world.clock.timestamp()
  review.state = state
  review.submittedAt = now
  touch(world, review.pull)
  tellOfReview(world, review, 'submitted')
  for (const comment of commentsOf(review)) {
    // Until now nobody could see it.
    comment.createdAt = now
    comment.updatedAt = now
    tellOfComment(world, comment, 'created', review.author)
  }
}

export function deleteReview(review: ReviewRecord): void {
  const { pull } = review
  pull.reviews.splice(pull.reviews.indexOf(review), 1)
  for (const comment of commentsOf(review)) removeComment(comment)
}

export function editReviewComment(
  world: World,
  comment: ReviewCommentRecord,
  by: Author,
  body: string,
): void {
  const changes = { body: { from: comment.body } }
  comment.body = body
  comment.updatedAt = world.clock.timestamp()
  tellOfComment(world, comment, 'edited', by, { changes })
}

export function deleteReviewComment(world: World, comment: ReviewCommentRecord, by: Author): void {
  removeComment(comment)
  tellOfComment(world, comment, 'deleted', by)
}

export function resolveThread(world: World, thread: ThreadRecord, by: Author | null): void {
  thread.resolvedBy = by
  touch(world, thread.pull)
}

export function commentsOf(review: ReviewRecord): ReviewCommentRecord[] {
  return review.pull.threads.flatMap(({ comments }) => comments.filter((each) => each.review === review))
}

/** Comments that everybody sees, oldest first. */
export function postedComments(pull: PullRecord): ReviewCommentRecord[] {
  return pull.threads
    .flatMap(({ comments }) => comments)
    .filter(({ review }) => review.state !== 'PENDING')
    .sort((a, b) => a.id - b.id)
}

function addToThread(
  world: World,
  thread: ThreadRecord,
  review: ReviewRecord,
  body: string,
): ReviewCommentRecord {
  const now = world.clock.timestamp()
  const comment: ReviewCommentRecord = {
    id: world.state.nextId(),
    thread,
    review,
    author: review.author,
    body,
    createdAt: now,
    updatedAt: now,
    reactions: [],
    minimized: null,
  }
  thread.comments.push(comment)
  return comment
}

function removeComment(comment: ReviewCommentRecord): void {
  const { thread } = comment
  thread.comments.splice(thread.comments.indexOf(comment), 1)
  const { threads } = thread.pull
  if (thread.comments.length === 0) threads.splice(threads.indexOf(thread), 1)
}

function tellOfReview(world: World, review: ReviewRecord, action: string): void {
  const { repository } = review.pull
  const shown = { ...presentReview(world, review), state: review.state.toLowerCase() }
  const payload = { review: shown, pull_request: showPull(world, review.pull) }
  world.outbox.emit({ name: 'pull_request_review', action, repository, sender: review.author, payload })
}

function tellOfComment(
  world: World,
  comment: ReviewCommentRecord,
  action: string,
  sender: Author,
  more: Record<string, unknown> = {},
): void {
  const { pull } = comment.thread
  const payload = {
    comment: world.description.complete('pull-request-review-comment', presentReviewComment(world, comment)),
    pull_request: showPull(world, pull),
    ...more,
  }
  const { repository } = pull
  world.outbox.emit({ name: 'pull_request_review_comment', action, repository, sender, payload })
}

function showPull(world: World, pull: PullRecord): unknown {
  return world.description.complete('pull-request-simple', presentPullInList(world, pull))
}
