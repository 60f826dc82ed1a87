import type { Reaction } from '../model/state.ts'
import { presentReaction } from '../present/conversation.ts'
import {
  type Access,
  authorOf,
  inRepository,
  page,
  type RepositoryExchange,
  type Route,
  reading,
} from './exchange.ts'
import { issueCommentOf } from './issue-comments.ts'
import { commentOf } from './review-comments.ts'

const onIssues: Access = { kind: 'repository', app: ['issues=write', 'pull_requests=write'], level: 'read' }
const onPulls: Access = { kind: 'repository', app: ['pull_requests=write'], level: 'read' }
const ISSUE_COMMENT = '/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions'
const REVIEW_COMMENT = '/repos/{owner}/{repo}/pulls/comments/{comment_id}/reactions'

export const reactions: Route[] = [
  inRepository(`GET ${ISSUE_COMMENT}`, reading('issues=read', 'pull_requests=read'), (exchange) =>
    list(exchange, issueCommentOf(exchange).reactions),
  ),
  inRepository(`POST ${ISSUE_COMMENT}`, onIssues, (exchange) =>
    react(exchange, issueCommentOf(exchange).reactions),
  ),
  inRepository(`GET ${REVIEW_COMMENT}`, reading('pull_requests=read'), (exchange) =>
    list(exchange, commentOf(exchange).reactions),
  ),
  inRepository(`POST ${REVIEW_COMMENT}`, onPulls, (exchange) =>
    react(exchange, commentOf(exchange).reactions),
  ),
]

function list(exchange: RepositoryExchange, all: Reaction[]) {
  const { content } = exchange.query
  const chosen = all.filter((reaction) => content === undefined || reaction.content === content)
  return page(exchange, chosen, (reaction) => presentReaction(exchange.world, reaction))
}

/** 201 for a new reaction, 200 for one that was there. */
function react(exchange: RepositoryExchange, all: Reaction[]) {
  const { world, body } = exchange
  const author = authorOf(exchange)
  const known = all.find(
    (each) => each.content === body.content && each.author.account.id === author.account.id,
  )
  if (known) return { status: 200, body: presentReaction(world, known) }
  const reaction = {
    id: world.state.nextId(),
    author,
    content: String(body.content),
    createdAt: world.clock.timestamp(),
  }
  all.push(reaction)
  return { status: 201, body: presentReaction(world, reaction) }
}
