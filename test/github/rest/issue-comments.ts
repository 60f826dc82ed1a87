import { addIssueComment, deleteIssueComment, editIssueComment } from '../acts/issue-comments.ts'
import { isAtLeast } from '../model/permissions.ts'
import { type Author, allPulls, type IssueCommentRecord, levelOf } from '../model/state.ts'
import { presentIssueComment } from '../present/conversation.ts'
import { notFound, Refusal } from '../refusal.ts'
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

const writing: Access = { kind: 'repository', app: ['issues=write', 'pull_requests=write'], level: 'read' }
const COMMENTS = '/repos/{owner}/{repo}/issues/{issue_number}/comments'
const COMMENT = '/repos/{owner}/{repo}/issues/comments/{comment_id}'

export const issueComments: Route[] = [
  inRepository(`GET ${COMMENTS}`, reading('issues=read', 'pull_requests=read'), (exchange) => {
    const { world, query } = exchange
    const since = query.since === undefined ? '' : toSeconds(query.since)
    const comments = pullOf(exchange).comments.filter(({ updatedAt }) => updatedAt >= since)
    return page(exchange, comments, (comment) => presentIssueComment(world, comment))
  }),

  inRepository(`POST ${COMMENTS}`, writing, (exchange) => {
    const { world, body } = exchange
    const text = checkText('IssueComment', body?.body)
    const comment = addIssueComment(world, pullOf(exchange), authorOf(exchange), text)
    return created(presentIssueComment(world, comment))
  }),

  inRepository(
    'GET /repos/{owner}/{repo}/issues/comments',
    reading('issues=read', 'pull_requests=read'),
    (exchange) => {
      const all = allPulls(exchange.repository).flatMap(({ comments }) => comments)
      return page(exchange, chosenByTime(exchange, all), (each) => presentIssueComment(exchange.world, each))
    },
  ),

  inRepository(`GET ${COMMENT}`, reading('issues=read', 'pull_requests=read'), (exchange) =>
    ok(presentIssueComment(exchange.world, issueCommentOf(exchange))),
  ),

  inRepository(`PATCH ${COMMENT}`, writing, (exchange) => {
    const { world, body } = exchange
    const comment = issueCommentOf(exchange)
    checkMayEdit(exchange, comment.author)
    editIssueComment(world, comment, authorOf(exchange), checkText('IssueComment', body?.body))
    return ok(presentIssueComment(world, comment))
  }),

  inRepository(`DELETE ${COMMENT}`, writing, (exchange) => {
    const comment = issueCommentOf(exchange)
    checkMayEdit(exchange, comment.author)
    deleteIssueComment(exchange.world, comment, authorOf(exchange))
    return { status: 204 }
  }),
]

/** @throws Refusal 404 */
export function issueCommentOf({ repository, params }: RepositoryExchange): IssueCommentRecord {
  const id = Number(params.comment_id)
  const comment = allPulls(repository)
    .flatMap(({ comments }) => comments)
    .find((each) => each.id === id)
  if (!comment) throw notFound()
  return comment
}

/** One's own comments, and with write access everybody's. */
export function checkMayEdit(exchange: RepositoryExchange, author: Author): void {
  const { account } = authorOf(exchange)
  if (account.id === author.account.id || exchange.actor.kind === 'installation') return
  if (!isAtLeast(levelOf(exchange.repository, account), 'write')) {
    throw new Refusal(403, 'Must have admin rights to Repository.')
  }
}

/** `since` (of the last change), `sort` and `direction`, as the lists of a whole repository take them. */
export function chosenByTime<T extends { id: number; createdAt: string; updatedAt: string }>(
  { query }: RepositoryExchange,
  comments: T[],
): T[] {
  const since = query.since === undefined ? '' : toSeconds(query.since)
  const key = (comment: T) => (query.sort === 'updated' ? comment.updatedAt : comment.createdAt)
  const direction = query.direction === 'desc' ? -1 : 1
  return comments
    .filter(({ updatedAt }) => updatedAt >= since)
    .sort((a, b) => (key(a).localeCompare(key(b)) || a.id - b.id) * direction)
}

function toSeconds(time: unknown): string {
  return `${new Date(String(time)).toISOString().slice(0, 19)}Z`
}
