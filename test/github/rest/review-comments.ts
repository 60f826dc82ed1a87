import { belongsTo } from '../acts/pulls.ts'
import {
  deleteReviewComment,
  editReviewComment,
  findPlace,
  pendingReview,
  postedComments,
  replyInThread,
  startReview,
  submitReview,
} from '../acts/reviews.ts'
import type { PullRecord, ReviewCommentRecord } from '../model/state.ts'
import { allPulls } from '../model/state.ts'
import { presentReviewComment } from '../present/conversation.ts'
import { notFound, Refusal, validationFailed } from '../refusal.ts'
import {
  type Access,
  authorOf,
  checkText,
  created,
  inRepository,
  ok,
  page,
  pullOf,
  type RepositoryExchange,
  type Route,
  reading,
} from './exchange.ts'
import { checkMayEdit, chosenByTime } from './issue-comments.ts'

const writing: Access = { kind: 'repository', app: ['pull_requests=write'], level: 'read' }
const COMMENTS = '/repos/{owner}/{repo}/pulls/{pull_number}/comments'
const COMMENT = '/repos/{owner}/{repo}/pulls/comments/{comment_id}'

export const reviewComments: Route[] = [
  inRepository(`GET ${COMMENTS}`, reading('pull_requests=read'), (exchange) =>
    showAll(exchange, postedComments(pullOf(exchange))),
  ),

  inRepository(`POST ${COMMENTS}`, writing, (exchange) => {
    const { world, body } = exchange
    const pull = pullOf(exchange)
    const author = authorOf(exchange)
    const text = checkText('PullRequestReviewComment', body.body)
    checkNoPending(pull, exchange)
    if (body.in_reply_to !== undefined) {
      const { thread } = findComment([pull], body.in_reply_to)
      return created(presentReviewComment(world, replyInThread(world, thread, author, text)))
    }
    if (!belongsTo(pull, body.commit_id)) {
      const resource = 'PullRequestReviewComment'
      throw validationFailed(resource, 'commit_id', 'commit_id is not part of the pull request')
    }
    const found = findPlace(world.state, pull, body.commit_id, body)
    if (!('place' in found)) throw refusePlace(found.problem)
    const comments = [{ place: found.place, body: text }]
    const review = startReview(world, pull, author, { commit: body.commit_id, body: '', comments })
    submitReview(world, review, 'COMMENTED')
    const comment = postedComments(pull).find((each) => each.review === review)
    if (!comment) throw new Error('a comment that was posted is gone')
    return created(presentReviewComment(world, comment))
  }),

  inRepository(`POST ${COMMENTS}/{comment_id}/replies`, writing, (exchange) => {
    const { world, body, params } = exchange
    const pull = pullOf(exchange)
    const text = checkText('PullRequestReviewComment', body?.body)
    const { thread } = findComment([pull], Number(params.comment_id))
    checkNoPending(pull, exchange)
    return created(presentReviewComment(world, replyInThread(world, thread, authorOf(exchange), text)))
  }),

  inRepository('GET /repos/{owner}/{repo}/pulls/comments', reading('pull_requests=read'), (exchange) =>
    showAll(exchange, allPulls(exchange.repository).flatMap(postedComments)),
  ),

  inRepository(`GET ${COMMENT}`, reading('pull_requests=read'), (exchange) =>
    ok(presentReviewComment(exchange.world, commentOf(exchange))),
  ),

  inRepository(`PATCH ${COMMENT}`, writing, (exchange) => {
    const { world, body } = exchange
    const comment = commentOf(exchange)
    checkMayEdit(exchange, comment.author)
    editReviewComment(world, comment, authorOf(exchange), checkText('PullRequestReviewComment', body?.body))
    return ok(presentReviewComment(world, comment))
  }),

  inRepository(`DELETE ${COMMENT}`, writing, (exchange) => {
    const comment = commentOf(exchange)
    checkMayEdit(exchange, comment.author)
    deleteReviewComment(exchange.world, comment, authorOf(exchange))
    return { status: 204 }
  }),
]

/** A review comment that everybody sees. @throws Refusal 404 */
export function commentOf(exchange: RepositoryExchange): ReviewCommentRecord {
  return findComment(allPulls(exchange.repository), Number(exchange.params.comment_id))
}

function findComment(pulls: PullRecord[], id: number): ReviewCommentRecord {
  const comment = pulls.flatMap(postedComments).find((each) => each.id === id)
  if (!comment) throw notFound()
  return comment
}

function showAll(exchange: RepositoryExchange, comments: ReviewCommentRecord[]) {
  return page(exchange, chosenByTime(exchange, comments), (comment) =>
    presentReviewComment(exchange.world, comment),
  )
}

/** Every single comment is a review of its own to GitHub. */
function checkNoPending(pull: PullRecord, exchange: RepositoryExchange): void {
  if (!pendingReview(pull, authorOf(exchange))) return
  const message = 'user_id can only have one pending review per pull request'
  throw validationFailed('PullRequestReview', 'user_id', message)
}

const THREAD = 'pull_request_review_thread'

function refusePlace(problem: 'path' | 'line' | 'start_line' | 'order'): Refusal {
  const resource = 'PullRequestReviewComment'
  const error = (field: string, message: string) => ({
    resource,
    code: 'custom',
    field: `${THREAD}.${field}`,
    message: `${THREAD}.${field} ${message}`,
  })
  const errors = {
    path: [error('path', 'is invalid'), error('diff_hunk', "can't be blank")],
    line: [error('line', 'must be part of the diff'), error('diff_hunk', "can't be blank")],
    start_line: [error('start_line', 'must be part of the same hunk as the line.')],
    order: [error('start_line', 'must precede the end line.')],
  }
  return new Refusal(422, 'Validation Failed', { errors: errors[problem] })
}
