import type { Actor } from '../authenticate.ts'
import { isAtLeast, permits } from '../model/permissions.ts'
import { placeNow } from '../model/placement.ts'
import {
  type Account,
  allPulls,
  type IssueCommentRecord,
  levelOf,
  type PullRecord,
  type RepositoryRecord,
  type ReviewCommentRecord,
  type ReviewRecord,
  type ThreadRecord,
} from '../model/state.ts'
import { nodeId } from '../node-id.ts'
import { presentIssueComment, presentReview, presentReviewComment, pullUrl } from '../present/conversation.ts'
import { association } from '../present/pulls.ts'
import type { World } from '../world.ts'
import { connect, type PageArguments } from './connection.ts'
import { GraphqlRefusal } from './refusal.ts'

/** Somebody who may ask in GraphQL. */
export type Viewer = Actor & { kind: 'installation' | 'user' }

// Objects as graphql-js reads them: a property for each field, or a function for those with arguments or depth.
// What is not here is null, and where GitHub never answers null, an error.

export function toActor(world: World, { id, login, type }: Account) {
  return {
    __typename: type,
    id: nodeId(type, id),
    databaseId: id,
    // Unlike REST, GraphQL says `kodus` of `kodus[bot]`.
    login: login.replace(/\[bot\]$/, ''),
    url: `${world.origin}/${login}`,
    resourcePath: `/${login}`,
    avatarUrl: `${world.origin}/avatars/${id}`,
  }
}

export function toRepository(world: World, viewer: Viewer, repository: RepositoryRecord) {
  return {
    __typename: 'Repository',
    id: nodeId('Repository', repository.id),
    databaseId: repository.id,
    name: repository.name,
    nameWithOwner: repository.fullName,
    isPrivate: repository.private,
    isFork: repository.parent !== undefined,
    url: `${world.origin}/${repository.fullName}`,
    owner: () => toActor(world, repository.owner),
    pullRequest({ number }: { number: number }) {
      const pull = repository.pulls.get(number)
      if (pull) return toPullRequest(world, viewer, pull)
      const message = `Could not resolve to a PullRequest with the number of ${number}.`
      throw new GraphqlRefusal('NOT_FOUND', message)
    },
    pullRequests({ states, ...page }: PageArguments & { states?: string[] }) {
      const chosen = allPulls(repository).filter((pull) => !states || states.includes(stateOf(pull)))
      return connect(chosen, page, 'pullRequests', (pull) => toPullRequest(world, viewer, pull))
    },
  }
}

function stateOf(pull: PullRecord): string {
  return pull.mergedAt ? 'MERGED' : pull.state.toUpperCase()
}

export function toPullRequest(world: World, viewer: Viewer, pull: PullRecord) {
  const isVisible = (review: ReviewRecord) =>
    review.state !== 'PENDING' || review.author.account.id === viewer.author.account.id
  return {
    __typename: 'PullRequest',
    id: nodeId('PullRequest', pull.id),
    databaseId: pull.id,
    fullDatabaseId: String(pull.id),
    number: pull.number,
    title: pull.title,
    body: pull.body ?? '',
    state: stateOf(pull),
    isDraft: pull.draft,
    closed: pull.state === 'closed',
    merged: pull.mergedAt !== null,
    url: pullUrl(world, pull),
    baseRefName: pull.base.ref,
    baseRefOid: pull.base.sha,
    headRefName: pull.head.ref,
    headRefOid: pull.head.sha,
    isCrossRepository: pull.head.repository !== pull.repository,
    createdAt: pull.createdAt,
    updatedAt: pull.updatedAt,
    author: () => toActor(world, pull.author.account),
    repository: () => toRepository(world, viewer, pull.repository),
    reviewThreads(page: PageArguments) {
      const threads = pull.threads.filter(({ comments }) => comments.some(({ review }) => isVisible(review)))
      return connect(threads, page, 'reviewThreads', (thread) => toThread(world, viewer, thread))
    },
    reviews({ states, author, ...page }: PageArguments & { states?: string[]; author?: string }) {
      const reviews = pull.reviews
        .filter(isVisible)
        .filter(({ state }) => !states || states.includes(state))
        .filter((review) => !author || review.author.account.login === author)
      return connect(reviews, page, 'reviews', (review) => toReview(world, viewer, review))
    },
    comments: (page: PageArguments) =>
      connect(pull.comments, page, 'comments', (comment) => toIssueComment(world, viewer, comment)),
  }
}

export function toThread(world: World, viewer: Viewer, thread: ThreadRecord) {
  const { place, pull, resolvedBy } = thread
  const now = placeNow(world.state, thread)
  return {
    __typename: 'PullRequestReviewThread',
    id: nodeId('PullRequestReviewThread', thread.id),
    path: place.path,
    line: now.line,
    startLine: now.startLine,
    originalLine: place.line ?? null,
    originalStartLine: place.startLine ?? null,
    diffSide: place.side,
    startDiffSide: place.startLine === undefined ? null : (place.startSide ?? place.side),
    subjectType: place.line === undefined ? 'FILE' : 'LINE',
    isResolved: resolvedBy !== null,
    isCollapsed: resolvedBy !== null,
    isOutdated: now.outdated,
    resolvedBy: resolvedBy && toActor(world, resolvedBy.account),
    viewerCanReply: true,
    viewerCanResolve: resolvedBy === null && mayResolve(viewer, thread),
    viewerCanUnresolve: resolvedBy !== null && mayResolve(viewer, thread),
    pullRequest: () => toPullRequest(world, viewer, pull),
    repository: () => toRepository(world, viewer, pull.repository),
    comments(page: PageArguments) {
      const visible = thread.comments.filter(
        ({ review }) => review.state !== 'PENDING' || review.author.account.id === viewer.author.account.id,
      )
      return connect(visible, page, 'comments', (comment) => toReviewComment(world, viewer, comment))
    },
  }
}

/**
 * An App needs `contents: write` to resolve threads, however little that has to do with contents (GitHub's
 * community discussion 44650); an account needs write access, or to have opened the pull request.
 */
export function mayResolve(viewer: Viewer, { pull }: ThreadRecord): boolean {
  if (viewer.kind === 'installation') {
    return (
      permits(viewer.permissions, ['contents=write']) && permits(viewer.permissions, ['pull_requests=write'])
    )
  }
  const { account } = viewer.author
  return pull.author.account.id === account.id || isAtLeast(levelOf(pull.repository, account), 'write')
}

export function toReviewComment(world: World, viewer: Viewer, comment: ReviewCommentRecord): object {
  const shown = presentReviewComment(world, comment)
  const { thread, review } = comment
  const [first] = thread.comments
  return {
    __typename: 'PullRequestReviewComment',
    id: shown.node_id,
    databaseId: comment.id,
    fullDatabaseId: String(comment.id),
    body: comment.body,
    bodyText: comment.body,
    path: shown.path,
    line: shown.line,
    startLine: shown.start_line,
    originalLine: thread.place.line ?? null,
    originalStartLine: thread.place.startLine ?? null,
    diffHunk: shown.diff_hunk,
    outdated: placeNow(world.state, thread).outdated,
    url: shown.html_url,
    createdAt: comment.createdAt,
    updatedAt: comment.updatedAt,
    publishedAt: review.submittedAt,
    state: review.state === 'PENDING' ? 'PENDING' : 'SUBMITTED',
    authorAssociation: shown.author_association,
    subjectType: thread.place.line === undefined ? 'FILE' : 'LINE',
    isMinimized: comment.minimized !== null,
    minimizedReason: comment.minimized?.toLowerCase() ?? null,
    author: () => toActor(world, comment.author.account),
    viewerDidAuthor: comment.author.account.id === viewer.author.account.id,
    replyTo: () => (first && first !== comment ? toReviewComment(world, viewer, first) : null),
    pullRequestReview: () => toReview(world, viewer, review),
    pullRequest: () => toPullRequest(world, viewer, thread.pull),
  }
}

export function toReview(world: World, viewer: Viewer, review: ReviewRecord) {
  const shown = presentReview(world, review)
  return {
    __typename: 'PullRequestReview',
    id: shown.node_id,
    databaseId: review.id,
    fullDatabaseId: String(review.id),
    body: review.body,
    state: review.state,
    url: shown.html_url,
    createdAt: review.createdAt,
    submittedAt: review.submittedAt,
    authorAssociation: association(review.pull.repository, review.author),
    author: () => toActor(world, review.author.account),
    viewerDidAuthor: review.author.account.id === viewer.author.account.id,
    commit: { __typename: 'Commit', oid: review.commit },
    pullRequest: () => toPullRequest(world, viewer, review.pull),
  }
}

export function toIssueComment(world: World, viewer: Viewer, comment: IssueCommentRecord) {
  const shown = presentIssueComment(world, comment)
  return {
    __typename: 'IssueComment',
    id: shown.node_id,
    databaseId: comment.id,
    fullDatabaseId: String(comment.id),
    body: comment.body,
    url: shown.html_url,
    createdAt: comment.createdAt,
    updatedAt: comment.updatedAt,
    authorAssociation: shown.author_association,
    isMinimized: comment.minimized !== null,
    minimizedReason: comment.minimized?.toLowerCase() ?? null,
    author: () => toActor(world, comment.author.account),
    viewerDidAuthor: comment.author.account.id === viewer.author.account.id,
  }
}
