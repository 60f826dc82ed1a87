import type { IncomingHttpHeaders } from 'node:http'
import type { PullRequestState } from '../../jobs/review-request.ts'
import { parseCommand } from '../command.ts'
import { parseJson } from '../webhook-schema.ts'
import { malformed, type NarrowedWebhook, type WebhookSource } from '../webhook-source.ts'
import { isMarked } from './marker.ts'
import { AnyEvent, CommentEvent, PullRequestEvent } from './schema.ts'

/** Actions after which there is something new to review. */
const REVIEWED_ACTIONS = ['opened', 'reopened', 'synchronize', 'ready_for_review']

/** Actions that leave nothing new to review, but change what we know of the pull request. */
const UPDATING_ACTIONS = ['closed', 'converted_to_draft', 'edited']

/** Whether an event can mean anything to us; where its action is not told, it may. */
export function concernsUs(event: string, action: string | null | undefined): boolean {
  if (event === 'pull_request') {
    return !action || REVIEWED_ACTIONS.includes(action) || UPDATING_ACTIONS.includes(action)
  }
  const isComment = event === 'issue_comment' || event === 'pull_request_review_comment'
  return isComment && (!action || action === 'created')
}

export const githubWebhook: WebhookSource = {
  signatureHeader: 'x-hub-signature-256',
  deliveryHeader: 'x-github-delivery',
  narrow,
}

function narrow(headers: IncomingHttpHeaders, body: Buffer): NarrowedWebhook {
  const json = jsonOf(headers, body)
  const event = eventName(headers['x-github-event'])
  if (event === 'pull_request') return narrowPullRequest(parseJson(PullRequestEvent, json))
  if (event === 'issue_comment' || event === 'pull_request_review_comment') {
    return narrowComment(event, parseJson(CommentEvent, json))
  }
  parseJson(AnyEvent, json)
  return { ignored: `${event} asks for no review` }
}

/**
 * A pull request with something new in it asks for a review, drafts too: whether those are reviewed is for the
 * repository's configuration to say, which the worker reads. One that goes to another branch now is another
 * change, whether or not its head was reviewed before.
 */
export function narrowPullRequest({
  action,
  pull_request: pull,
  changes,
  repository,
  sender,
}: PullRequestEvent): NarrowedWebhook {
  const otherBase = action === 'edited' && Boolean(changes?.base)
  const asksForReview = otherBase || REVIEWED_ACTIONS.includes(action)
  if (!asksForReview && !UPDATING_ACTIONS.includes(action)) {
    return { ignored: `pull_request.${action} asks for no review` }
  }
  const pullRequest: PullRequestState = {
    repository: repository.full_name,
    pullRequest: String(pull.number),
    head: pull.head.sha,
    state: pull.merged ? 'merged' : pull.state,
    draft: pull.draft,
    updatedAt: pull.updated_at,
  }
  if (!asksForReview || pullRequest.state !== 'open') return { pullRequest }
  return {
    pullRequest,
    request: {
      repository: repository.full_name,
      organisation: repository.owner.login,
      pullRequest: pullRequest.pullRequest,
      base: pull.base.sha,
      head: pull.head.sha,
      title: pull.title,
      description: pull.body ?? '',
      branch: pull.head.ref,
      sender: sender?.login ?? null,
      action,
      baseBranch: pull.base.ref,
      draft: pull.draft,
    },
  }
}

/**
 * A new comment on a pull request that begins a line with `@kody` is a command. Who may command is for the
 * worker to ask the forge. Editing a comment commands nothing: its author may be another than its editor.
 */
export function narrowComment(event: string, told: CommentEvent): NarrowedWebhook {
  const { action, issue, pull_request: pull, comment, repository, sender } = told
  if (action !== 'created') return { ignored: `${event}.${action} commands nothing` }
  const pullRequest = pull ?? (issue?.pull_request ? issue : undefined)
  if (!pullRequest) return { ignored: 'the comment is on no pull request' }
  if (sender.type === 'Bot') return { ignored: `${sender.login} is a bot: bots command nothing` }
  const body = comment.body ?? ''
  // With a token, we are a person to GitHub, and one who may write: what we quote must command nothing.
  if (isMarked(body)) return { ignored: 'the reviewer itself wrote the comment' }
  const parsed = parseCommand(body)
  if (!parsed) return { ignored: 'the comment does not address the reviewer' }
  const place = pull ? 'thread' : 'conversation'
  return {
    command: {
      repository: repository.full_name,
      organisation: repository.owner.login,
      pullRequest: String(pullRequest.number),
      ...parsed,
      sender: sender.login,
      comment: {
        id: String(comment.id),
        place,
        threadId: place === 'thread' ? String(comment.in_reply_to_id ?? comment.id) : null,
      },
    },
  }
}

/** A webhook's settings at GitHub offer two content types; the second wraps the same JSON in a form. */
function jsonOf(headers: IncomingHttpHeaders, body: Buffer): string {
  const text = body.toString('utf8')
  if (!/^application\/x-www-form-urlencoded\b/i.test(headers['content-type'] ?? '')) return text
  const payload = new URLSearchParams(text).get('payload')
  if (payload !== null) return payload
  throw malformed(
    'The form has no field "payload".',
    "Choose the content type application/json in the webhook's settings.",
  )
}

function eventName(header: string | string[] | undefined): string {
  if (typeof header === 'string' && /^\w{1,100}$/.test(header)) return header
  throw malformed(
    'The header X-GitHub-Event is missing or is no event name.',
    'Send the header as GitHub does: `pull_request`, `ping`, …',
  )
}
