import { belongsTo } from '../acts/pulls.ts'
import {
  commentsOf,
  deleteReview,
  findPlace,
  pendingReview,
  startReview,
  submitReview,
  type WantedPlace,
} from '../acts/reviews.ts'
import type { Place, ReviewRecord } from '../model/state.ts'
import { presentReview, presentReviewCommentOfReview } from '../present/conversation.ts'
import { notFound, unprocessable } from '../refusal.ts'
import {
  type Access,
  authorOf,
  checkText,
  inRepository,
  ok,
  page,
  pullOf,
  type RepositoryExchange,
  type Route,
  reading,
} from './exchange.ts'

const writing: Access = { kind: 'repository', app: ['pull_requests=write'], level: 'read' }
const REVIEWS = '/repos/{owner}/{repo}/pulls/{pull_number}/reviews'

const STATES = { APPROVE: 'APPROVED', REQUEST_CHANGES: 'CHANGES_REQUESTED', COMMENT: 'COMMENTED' } as const

/** GitHub's sentences for a comment that it cannot place. */
const PROBLEMS = {
  path: 'Path could not be resolved',
  line: 'Line could not be resolved',
  start_line: 'Start line must be part of the same hunk as the line',
  order: 'Start line must precede the end line',
} as const

export const reviews: Route[] = [
  inRepository(`GET ${REVIEWS}`, reading('pull_requests=read'), (exchange) => {
    const visible = pullOf(exchange).reviews.filter((review) => isVisible(exchange, review))
    return page(exchange, visible, (review) => presentReview(exchange.world, review))
  }),

  inRepository(`POST ${REVIEWS}`, writing, (exchange) => {
    const { world, body = {} } = exchange
    const pull = pullOf(exchange)
    const author = authorOf(exchange)
    const text = checkText('PullRequestReview', body?.body, { required: false })
    const comments: (WantedPlace & { body: string })[] = body?.comments ?? []
    if (pendingReview(pull, author)) {
      throw unprocessable(['User can only have one pending review per pull request'])
    }
    const commit = body?.commit_id ?? pull.head.sha
    if (!belongsTo(pull, commit)) throw unprocessable(['The commit is not part of the pull request'])
    checkEvent(exchange, body?.event, text, comments.length)
    const placed = placeAll(exchange, commit, comments)
    const review = startReview(world, pull, author, { commit, body: text, comments: placed })
    if (body?.event) submitReview(world, review, STATES[body.event as keyof typeof STATES])
    return ok(presentReview(world, review))
  }),

  inRepository(`GET ${REVIEWS}/{review_id}`, reading('pull_requests=read'), (exchange) =>
    ok(presentReview(exchange.world, reviewOf(exchange))),
  ),

  inRepository(`PUT ${REVIEWS}/{review_id}`, writing, (exchange) => {
    const review = ownReviewOf(exchange)
    review.body = checkText('PullRequestReview', exchange.body?.body)
    return ok(presentReview(exchange.world, review))
  }),

  inRepository(`DELETE ${REVIEWS}/{review_id}`, writing, (exchange) => {
    const review = ownReviewOf(exchange)
    if (review.state !== 'PENDING') {
      throw unprocessable(['Can not delete a non-pending pull request review'])
    }
    deleteReview(review)
    return ok(presentReview(exchange.world, review))
  }),

  inRepository(`GET ${REVIEWS}/{review_id}/comments`, reading('pull_requests=read'), (exchange) =>
    page(exchange, commentsOf(reviewOf(exchange)), (comment) =>
      presentReviewCommentOfReview(exchange.world, comment),
    ),
  ),

  inRepository(`POST ${REVIEWS}/{review_id}/events`, writing, (exchange) => {
    const { world, body } = exchange
    const review = ownReviewOf(exchange)
    if (review.state !== 'PENDING') throw unprocessable(['Can not submit a review that is not pending'])
    if (body?.body !== undefined) review.body = checkText('PullRequestReview', body.body, { required: false })
    checkEvent(exchange, body?.event, review.body, commentsOf(review).length)
    submitReview(world, review, STATES[body.event as keyof typeof STATES])
    return ok(presentReview(world, review))
  }),

  inRepository(
    `PUT ${REVIEWS}/{review_id}/dismissals`,
    { kind: 'repository', app: ['pull_requests=write'], level: 'write' },
    (exchange) => {
      const review = reviewOf(exchange)
      if (review.state !== 'APPROVED' && review.state !== 'CHANGES_REQUESTED') {
        throw unprocessable(['Can not dismiss a commented pull request review'])
      }
      review.state = 'DISMISSED'
      return ok(presentReview(exchange.world, review))
    },
  ),
]

/** A pending review is its author's alone. */
function isVisible(exchange: RepositoryExchange, review: ReviewRecord): boolean {
  if (review.state !== 'PENDING') return true
  const { actor } = exchange
  return (
    (actor.kind === 'installation' || actor.kind === 'user') &&
    actor.author.account.id === review.author.account.id
  )
}

function reviewOf(exchange: RepositoryExchange): ReviewRecord {
  const id = Number(exchange.params.review_id)
  const review = pullOf(exchange).reviews.find((each) => each.id === id)
  if (!review || !isVisible(exchange, review)) throw notFound()
  return review
}

function ownReviewOf(exchange: RepositoryExchange): ReviewRecord {
  const review = reviewOf(exchange)
  if (review.author.account.id !== authorOf(exchange).account.id) throw notFound()
  return review
}

/** @throws Refusal 422 for a review that would say nothing, or judge its author's own work */
function checkEvent(
  exchange: RepositoryExchange,
  event: keyof typeof STATES | undefined,
  text: string,
  comments: number,
): void {
  if (event === undefined || event === 'COMMENT') {
    if (event && text.trim() === '' && comments === 0) throw unprocessable(["Body can't be blank"])
    return
  }
  if (pullOf(exchange).author.account.id === authorOf(exchange).account.id) {
    const verb = event === 'APPROVE' ? 'approve' : 'request changes on'
    throw unprocessable([`Can not ${verb} your own pull request`])
  }
  if (event === 'REQUEST_CHANGES' && text.trim() === '' && comments === 0) {
    throw unprocessable(["Body can't be blank"])
  }
}

/** All or nothing: one comment that cannot be placed, and there is no review. */
function placeAll(
  exchange: RepositoryExchange,
  commit: string,
  comments: (WantedPlace & { body: string })[],
): { place: Place; body: string }[] {
  const { state } = exchange.world
  const pull = pullOf(exchange)
  const problems: string[] = []
  const placed: { place: Place; body: string }[] = []
  for (const comment of comments) {
    const body = checkText('PullRequestReviewComment', comment.body)
    const found = findPlace(state, pull, commit, comment)
    if ('place' in found) placed.push({ place: found.place, body })
    else problems.push(PROBLEMS[found.problem])
  }
  if (problems.length > 0) throw unprocessable(problems)
  return placed
}
