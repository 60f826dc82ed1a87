import { editIssueComment } from '../acts/issue-comments.ts'
import {
  editReviewComment,
  findPlace,
  pendingReview,
  replyInThread,
  resolveThread,
  startThread,
} from '../acts/reviews.ts'
import { canSee, covers } from '../authorize.ts'
import { permits, type Requirement } from '../model/permissions.ts'
import {
  allPulls,
  type IssueCommentRecord,
  type PullRecord,
  type RepositoryRecord,
  type ReviewCommentRecord,
  type ReviewRecord,
  type ThreadRecord,
} from '../model/state.ts'
import { nodeId, parseNodeId } from '../node-id.ts'
import type { World } from '../world.ts'
import {
  mayResolve,
  toActor,
  toIssueComment,
  toPullRequest,
  toRepository,
  toReview,
  toReviewComment,
  toThread,
  type Viewer,
} from './objects.ts'
import { forbidden, GraphqlRefusal, noSuchNode } from './refusal.ts'

type Found =
  | { kind: 'repository'; repository: RepositoryRecord }
  | { kind: 'pull'; repository: RepositoryRecord; pull: PullRecord }
  | { kind: 'review'; repository: RepositoryRecord; review: ReviewRecord }
  | { kind: 'thread'; repository: RepositoryRecord; thread: ThreadRecord }
  | { kind: 'reviewComment'; repository: RepositoryRecord; comment: ReviewCommentRecord }
  | { kind: 'issueComment'; repository: RepositoryRecord; comment: IssueCommentRecord }

/** The fields of `Query` and `Mutation` that are served. */
export function createRoot(world: World, viewer: Viewer) {
  const node = ({ id }: { id: string }) => show(world, viewer, find(world, viewer, id))
  return {
    viewer: () => toActor(world, viewer.author.account),
    node,
    nodes: ({ ids }: { ids: string[] }) => ids.map((id) => node({ id })),
    repository({ owner, name }: { owner: string; name: string }) {
      const repository = world.state.findRepository(owner, name)
      if (repository && canSee(viewer, repository)) {
        checkPermitted(viewer, repository, ['metadata=read'])
        return toRepository(world, viewer, repository)
      }
      const message = `Could not resolve to a Repository with the name '${owner}/${name}'.`
      throw new GraphqlRefusal('NOT_FOUND', message)
    },
    ...createMutations(world, viewer),
  }
}

interface NewThread {
  pullRequestReviewId: string
  path: string
  body: string
  line?: number
  side?: string
  startLine?: number
  startSide?: string
}

type Input<T> = { input: T & { clientMutationId?: string } }

function createMutations(world: World, viewer: Viewer) {
  const threadOf = (id: string): ThreadRecord => {
    const found = find(world, viewer, id)
    if (found.kind !== 'thread') throw noSuchNode(id)
    return found.thread
  }
  const setResolved = (id: string, resolved: boolean) => {
    const thread = threadOf(id)
    if (!mayResolve(viewer, thread)) throw forbidden()
    resolveThread(world, thread, resolved ? viewer.author : null)
    return { thread: toThread(world, viewer, thread) }
  }
  return {
    resolveReviewThread: ({ input }: Input<{ threadId: string }>) => setResolved(input.threadId, true),
    unresolveReviewThread: ({ input }: Input<{ threadId: string }>) => setResolved(input.threadId, false),
    addPullRequestReviewThread({ input }: Input<NewThread>) {
      const found = find(world, viewer, input.pullRequestReviewId)
      if (found.kind !== 'review') throw noSuchNode(input.pullRequestReviewId)
      checkPermitted(viewer, found.repository, ['pull_requests=write'])
      const { review } = found
      if (review.state !== 'PENDING') throw new GraphqlRefusal('UNPROCESSABLE', 'The review is not pending')
      const { path, body, line, side, startLine, startSide } = input
      const wanted = { path, line, side, start_line: startLine, start_side: startSide }
      const placed = findPlace(world.state, review.pull, review.commit, wanted)
      if ('problem' in placed) {
        const message = 'Pull request review thread line must be part of the diff'
        throw new GraphqlRefusal('UNPROCESSABLE', message)
      }
      return { thread: toThread(world, viewer, startThread(world, review, placed.place, body)) }
    },
    addPullRequestReviewThreadReply({ input }: Input<{ pullRequestReviewThreadId: string; body: string }>) {
      const thread = threadOf(input.pullRequestReviewThreadId)
      checkPermitted(viewer, thread.pull.repository, ['pull_requests=write'])
      if (pendingReview(thread.pull, viewer.author)) {
        const message = 'User can only have one pending review per pull request'
        throw new GraphqlRefusal('UNPROCESSABLE', message)
      }
      const comment = replyInThread(world, thread, viewer.author, input.body)
      return { comment: toReviewComment(world, viewer, comment) }
    },
    updatePullRequestReviewComment({ input }: Input<{ pullRequestReviewCommentId: string; body: string }>) {
      const found = find(world, viewer, input.pullRequestReviewCommentId)
      if (found.kind !== 'reviewComment') throw noSuchNode(input.pullRequestReviewCommentId)
      checkPermitted(viewer, found.repository, ['pull_requests=write'])
      editReviewComment(world, found.comment, viewer.author, input.body)
      return { pullRequestReviewComment: toReviewComment(world, viewer, found.comment) }
    },
    updateIssueComment({ input }: Input<{ id: string; body: string }>) {
      const found = find(world, viewer, input.id)
      if (found.kind !== 'issueComment') throw noSuchNode(input.id)
      checkPermitted(viewer, found.repository, ['issues=write', 'pull_requests=write'])
      editIssueComment(world, found.comment, viewer.author, input.body)
      return { issueComment: toIssueComment(world, viewer, found.comment) }
    },
    minimizeComment({ input }: Input<{ subjectId: string; classifier: string }>) {
      const found = find(world, viewer, input.subjectId)
      if (found.kind !== 'reviewComment' && found.kind !== 'issueComment') throw noSuchNode(input.subjectId)
      checkPermitted(viewer, found.repository, ['issues=write', 'pull_requests=write'])
      found.comment.minimized = input.classifier
      return { minimizedComment: show(world, viewer, found) }
    },
  }
}

function checkPermitted(viewer: Viewer, repository: RepositoryRecord, anyOf: Requirement[]): void {
  if (viewer.kind === 'user') return
  const open = !repository.private && anyOf.every((requirement) => requirement.endsWith('=read'))
  if (!open && !(covers(viewer, repository) && permits(viewer.permissions, anyOf))) throw forbidden()
}

/** @throws GraphqlRefusal NOT_FOUND for what is not there, or not to be seen */
function find(world: World, viewer: Viewer, id: string): Found {
  for (const repository of world.state.repositories.values()) {
    const found = canSee(viewer, repository) && findIn(repository, id)
    if (!found) continue
    const review = 'comment' in found && 'review' in found.comment ? found.comment.review : undefined
    const pending = found.kind === 'review' ? found.review : review
    if (pending?.state === 'PENDING' && pending.author.account.id !== viewer.author.account.id) break
    checkPermitted(viewer, repository, ['pull_requests=read', 'issues=read'])
    return found
  }
  throw noSuchNode(id)
}

function findIn(repository: RepositoryRecord, text: string): Found | undefined {
  const parsed = parseNodeId(text)
  if (!parsed) return undefined
  const { kind, id } = parsed
  const is = (each: { id: number }) => each.id === id
  const pulls = allPulls(repository)
  switch (kind) {
    case 'Repository':
      return nodeId(kind, repository.id) === text ? { kind: 'repository', repository } : undefined
    case 'PullRequest': {
      const pull = pulls.find(is)
      return pull && { kind: 'pull', repository, pull }
    }
    case 'PullRequestReview': {
      const review = pulls.flatMap(({ reviews }) => reviews).find(is)
      return review && { kind: 'review', repository, review }
    }
    case 'PullRequestReviewThread': {
      const thread = pulls.flatMap(({ threads }) => threads).find(is)
      return thread && { kind: 'thread', repository, thread }
    }
    case 'PullRequestReviewComment': {
      const threads = pulls.flatMap((pull) => pull.threads)
      const comment = threads.flatMap(({ comments }) => comments).find(is)
      return comment && { kind: 'reviewComment', repository, comment }
    }
    case 'IssueComment': {
      const comment = pulls.flatMap(({ comments }) => comments).find(is)
      return comment && { kind: 'issueComment', repository, comment }
    }
    default:
      return undefined
  }
}

function show(world: World, viewer: Viewer, found: Found): object {
  switch (found.kind) {
    case 'repository':
      return toRepository(world, viewer, found.repository)
    case 'pull':
      return toPullRequest(world, viewer, found.pull)
    case 'review':
      return toReview(world, viewer, found.review)
    case 'thread':
      return toThread(world, viewer, found.thread)
    case 'reviewComment':
      return toReviewComment(world, viewer, found.comment)
    case 'issueComment':
      return toIssueComment(world, viewer, found.comment)
  }
}
