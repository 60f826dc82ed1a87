import type { IncomingHttpHeaders } from 'node:http'
import type { PullRequestState } from '../../jobs/review-request.ts'
import { parseJson } from '../webhook-schema.ts'
import { malformed, type NarrowedWebhook, type WebhookSource } from '../webhook-source.ts'
import { AnyEvent, PullRequestEvent } from './schema.ts'

/** Actions after which there is something new to review. */
const REVIEWED_ACTIONS = ['opened', 'reopened', 'synchronize', 'ready_for_review']

/** Actions that leave nothing new to review, but change what we know of the pull request. */
const UPDATING_ACTIONS = ['closed', 'converted_to_draft', 'edited']

export const githubWebhook: WebhookSource = {
  signatureHeader: 'x-hub-signature-256',
  deliveryHeader: 'x-github-delivery',
  narrow,
}

function narrow(headers: IncomingHttpHeaders, body: Buffer): NarrowedWebhook {
  const json = jsonOf(headers, body)
  const event = headers['x-github-event']
  if (event !== 'pull_request') {
    parseJson(AnyEvent, json)
    return { ignored: `${eventName(event)} asks for no review` }
  }
  return narrowPullRequest(parseJson(PullRequestEvent, json))
}

function narrowPullRequest({
  action,
  pull_request: pull,
  repository,
  sender,
}: PullRequestEvent): NarrowedWebhook {
  const asksForReview = REVIEWED_ACTIONS.includes(action)
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
  if (!asksForReview || pull.draft || pullRequest.state !== 'open') return { pullRequest }
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
