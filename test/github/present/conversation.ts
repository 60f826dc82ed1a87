import { placeNow } from '../model/placement.ts'
import type {
  IssueCommentRecord,
  PullRecord,
  Reaction,
  ReviewCommentRecord,
  ReviewRecord,
} from '../model/state.ts'
import { nodeId } from '../node-id.ts'
import type { World } from '../world.ts'
import { presentAccount, presentVia } from './accounts.ts'
import { association } from './pulls.ts'

/** An `issue-comment`. */
export function presentIssueComment(world: World, comment: IssueCommentRecord) {
  const { pull } = comment
  const repository = `${world.origin}/api/v3/repos/${pull.repository.fullName}`
  const url = `${repository}/issues/comments/${comment.id}`
  return {
    id: comment.id,
    node_id: nodeId('IssueComment', comment.id),
    url,
    html_url: `${pullUrl(world, pull)}#issuecomment-${comment.id}`,
    issue_url: `${repository}/issues/${pull.number}`,
    user: presentAccount(world, comment.author.account),
    author_association: association(pull.repository, comment.author),
    body: comment.body,
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    reactions: presentReactions(url, comment.reactions),
    performed_via_github_app: presentVia(world, comment.author),
  }
}

/** A `pull-request-review`. */
export function presentReview(world: World, review: ReviewRecord) {
  const { pull } = review
  const htmlUrl = `${pullUrl(world, pull)}#pullrequestreview-${review.id}`
  return {
    id: review.id,
    node_id: nodeId('PullRequestReview', review.id),
    user: presentAccount(world, review.author.account),
    author_association: association(pull.repository, review.author),
    body: review.body,
    state: review.state,
    commit_id: review.commit,
    ...(review.submittedAt && { submitted_at: review.submittedAt }),
    html_url: htmlUrl,
    pull_request_url: pullApiUrl(world, pull),
    _links: { html: { href: htmlUrl }, pull_request: { href: pullApiUrl(world, pull) } },
  }
}

/** A `pull-request-review-comment`. */
export function presentReviewComment(world: World, comment: ReviewCommentRecord) {
  const { thread } = comment
  const { place } = thread
  const now = placeNow(world.state, thread)
  return {
    ...presentReviewCommentOfReview(world, comment),
    start_line: now.startLine,
    original_start_line: place.startLine ?? null,
    start_side: place.startLine === undefined ? null : (place.startSide ?? place.side),
    line: now.line,
    ...(place.line !== undefined && { original_line: place.line }),
    side: place.side,
    subject_type: place.line === undefined ? 'file' : 'line',
  }
}

/**
 * A `review-comment`: what the list of one review's comments shows. It tells positions only; the description
 * has lines, too, which GitHub leaves out there.
 */
export function presentReviewCommentOfReview(world: World, comment: ReviewCommentRecord) {
  const { thread, review } = comment
  const { pull, place } = thread
  const repository = `${world.origin}/api/v3/repos/${pull.repository.fullName}`
  const url = `${repository}/pulls/comments/${comment.id}`
  const htmlUrl = `${pullUrl(world, pull)}#discussion_r${comment.id}`
  const now = placeNow(world.state, thread)
  const [first] = thread.comments
  return {
    id: comment.id,
    node_id: nodeId('PullRequestReviewComment', comment.id),
    url,
    html_url: htmlUrl,
    pull_request_review_id: review.id,
    pull_request_url: pullApiUrl(world, pull),
    diff_hunk: place.diffHunk,
    path: place.path,
    position: now.position,
    ...(place.position !== undefined && { original_position: place.position }),
    commit_id: now.outdated ? place.commit : pull.head.sha,
    original_commit_id: place.commit,
    ...(first && first !== comment && { in_reply_to_id: first.id }),
    user: presentAccount(world, comment.author.account),
    author_association: association(pull.repository, comment.author),
    body: comment.body,
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    reactions: presentReactions(url, comment.reactions),
    _links: {
      self: { href: url },
      html: { href: htmlUrl },
      pull_request: { href: pullApiUrl(world, pull) },
    },
  }
}

export function presentReaction(world: World, reaction: Reaction) {
  return {
    id: reaction.id,
    node_id: nodeId('Reaction', reaction.id),
    user: presentAccount(world, reaction.author.account),
    content: reaction.content,
    created_at: reaction.createdAt,
  }
}

function presentReactions(url: string, reactions: Reaction[]) {
  const count = (content: string) => reactions.filter((reaction) => reaction.content === content).length
  return {
    url: `${url}/reactions`,
    total_count: reactions.length,
    '+1': count('+1'),
    '-1': count('-1'),
    laugh: count('laugh'),
    confused: count('confused'),
    heart: count('heart'),
    hooray: count('hooray'),
    eyes: count('eyes'),
    rocket: count('rocket'),
  }
}

export function pullUrl(world: World, pull: PullRecord): string {
  return `${world.origin}/${pull.repository.fullName}/pull/${pull.number}`
}

function pullApiUrl(world: World, pull: PullRecord): string {
  return `${world.origin}/api/v3/repos/${pull.repository.fullName}/pulls/${pull.number}`
}
