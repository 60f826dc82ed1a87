import type { Author, IssueCommentRecord, PullRecord } from '../model/state.ts'
import { presentIssueComment } from '../present/conversation.ts'
import { presentIssue } from '../present/pulls.ts'
import type { World } from '../world.ts'
import { touch } from './pulls.ts'

// What happens to the comments of a conversation, whoever makes it happen.

export function addIssueComment(
  world: World,
  pull: PullRecord,
  author: Author,
  body: string,
): IssueCommentRecord {
  const now = world.clock.timestamp()
  const id = world.state.nextId()
  const comment = { id, pull, author, body, createdAt: now, updatedAt: now, reactions: [], minimized: null }
  pull.comments.push(comment)
  touch(world, pull)
  tell(world, comment, 'created', author)
  return comment
}

export function editIssueComment(world: World, comment: IssueCommentRecord, by: Author, body: string): void {
  const changes = { body: { from: comment.body } }
  comment.body = body
  comment.updatedAt = world.clock.timestamp()
  tell(world, comment, 'edited', by, { changes })
}

export function deleteIssueComment(world: World, comment: IssueCommentRecord, by: Author): void {
  const { comments } = comment.pull
  comments.splice(comments.indexOf(comment), 1)
  tell(world, comment, 'deleted', by)
}

/** To GitHub a pull request's conversation is an issue's, with `pull_request` in it to tell. */
function tell(
  world: World,
  comment: IssueCommentRecord,
  action: string,
  sender: Author,
  more: Record<string, unknown> = {},
): void {
  const { pull } = comment
  const payload = {
    issue: world.description.complete('issue', presentIssue(world, pull)),
    comment: world.description.complete('issue-comment', presentIssueComment(world, comment)),
    ...more,
  }
  world.outbox.emit({ name: 'issue_comment', action, repository: pull.repository, sender, payload })
}
