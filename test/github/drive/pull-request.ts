import { addIssueComment } from '../acts/issue-comments.ts'
import { closePull, editPull, mergePull, pushBranch, reopenPull, setDraft } from '../acts/pulls.ts'
import {
  findPlace,
  postedComments,
  replyInThread,
  resolveThread,
  startReview,
  submitReview,
} from '../acts/reviews.ts'
import { storeCommit } from '../model/git.ts'
import { placeNow } from '../model/placement.ts'
import type { Author, PullRecord, ReviewCommentRecord } from '../model/state.ts'
import { nodeId } from '../node-id.ts'
import { presentIssueComment, presentReview, presentReviewComment } from '../present/conversation.ts'
import { presentPull } from '../present/pulls.ts'
import type { PullRequest, Repository } from '../server.ts'
import type { World } from '../world.ts'

/** The handle of a pull request, for tests to act with as people do. */
export function drivePull(world: World, repository: Repository, pull: PullRecord): PullRequest {
  const by = (login?: string): Author =>
    login === undefined ? pull.author : { account: world.state.account(login), viaApp: false }
  const move = (commit: string, login?: string) =>
    pushBranch(world, pull.head.repository, { branch: pull.head.ref, commit, by: by(login) })
  const find = (id: number): ReviewCommentRecord => {
    const comment = postedComments(pull).find((each) => each.id === id)
    if (!comment) throw new Error(`there is no review comment ${id}`)
    return comment
  }

  return {
    repository,
    number: pull.number,
    head: () => pull.head.sha,
    push(files, { onto = pull.head.sha, message = 'Change', by: login } = {}) {
      const { directory } = pull.head.repository
      const commit = storeCommit(directory, { parent: onto, files, message, date: world.clock.now() })
      move(commit, login)
      return commit
    },
    resetTo: move,
    close: (login) => closePull(world, pull, by(login)),
    reopen: (login) => reopenPull(world, pull, by(login)),
    merge: (login) => mergePull(world, pull, by(login)),
    convertToDraft: (login) => setDraft(world, pull, true, by(login)),
    markReady: (login) => setDraft(world, pull, false, by(login)),
    edit: (change, login) => editPull(world, pull, change, by(login)),
    comment: (login, body) => presentIssueComment(world, addIssueComment(world, pull, by(login), body)),
    commentOn(login, place, body) {
      const commit = pull.head.sha
      const found = findPlace(world.state, pull, commit, place)
      if (!('place' in found)) throw new Error(`${place.path}:${place.line} is not in the diff`)
      const comments = [{ place: found.place, body }]
      const review = startReview(world, pull, by(login), { commit, body: '', comments })
      submitReview(world, review, 'COMMENTED')
      const posted = postedComments(pull).find((comment) => comment.review === review)
      return posted && presentReviewComment(world, posted)
    },
    reply: (login, id, body) =>
      presentReviewComment(world, replyInThread(world, find(id).thread, by(login), body)),
    resolveThread: (id, login) => resolveThread(world, find(id).thread, by(login)),
    unresolveThread: (id) => resolveThread(world, find(id).thread, null),
    show: () => presentPull(world, pull),
    reviews: () => pull.reviews.map((review) => presentReview(world, review)),
    reviewComments: () => postedComments(pull).map((comment) => presentReviewComment(world, comment)),
    comments: () => pull.comments.map((comment) => presentIssueComment(world, comment)),
    threads: () =>
      pull.threads.map((thread) => {
        const now = placeNow(world.state, thread)
        return {
          id: nodeId('PullRequestReviewThread', thread.id),
          path: thread.place.path,
          line: now.line,
          isResolved: thread.resolvedBy !== null,
          isOutdated: now.outdated,
          comments: thread.comments.map((comment) => presentReviewComment(world, comment)),
        }
      }),
  }
}
