import type { IncomingHttpHeaders } from 'node:http'
import { parseJson } from '../webhook-schema.ts'
import type { NarrowedWebhook, WebhookSource } from '../webhook-source.ts'
import { GitWebhookBody } from './schema.ts'

/**
 * Plain git has no webhooks of its own: a post-receive hook or a CI job sends these, signed as GitHub's
 * are. To have a commit reviewed that was reviewed before, send `"force": true`, and for each time something
 * else that differs: a body that was sent before is the same delivery. Unknown fields are ignored.
 */
export const gitWebhook: WebhookSource = {
  signatureHeader: 'x-kodus-signature-256',
  deliveryHeader: 'x-kodus-delivery',
  narrow,
}

function narrow(_headers: IncomingHttpHeaders, body: Buffer): NarrowedWebhook {
  const { repository, base, head, title, description, branch, force } = parseJson(
    GitWebhookBody,
    body.toString('utf8'),
  )
  const pullRequest = branch ?? null
  const request = {
    repository,
    organisation: hostOf(repository) ?? 'local',
    pullRequest,
    base,
    head,
    title: title ?? '',
    description: description ?? '',
    branch: pullRequest,
    sender: null,
    action: 'requested',
    ...(force && { force }),
  }
  if (pullRequest === null) return { request }
  const state = { repository, pullRequest, head, state: 'open', draft: false, updatedAt: null } as const
  return { request, pullRequest: state }
}

/** The host of `scheme://user@host:port/path` or of `user@host:path`; a path has none. */
function hostOf(repository: string): string | undefined {
  const url = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?(\[[^\]]*\]|[^/?#:]+)/i.exec(repository)
  const scp = /^[^/:@]+@([^/:]+):/.exec(repository)
  return (url ?? scp)?.[1]?.toLowerCase()
}
