import type { IncomingHttpHeaders } from 'node:http'
import type { CommandRequest, PullRequestState, ReviewRequest } from '../jobs/review-request.ts'
import { KodusError } from '../lib/errors.ts'

/** What a webhook means to us: a review, a command, a pull request that is no longer as it was, or nothing. */
export type NarrowedWebhook =
  | { request: ReviewRequest; pullRequest?: PullRequestState }
  | { command: CommandRequest }
  | { pullRequest: PullRequestState }
  | { ignored: string }

/** The ingest side of a forge: all that the webhook handler knows of it. */
export interface WebhookSource {
  /** Lower-case names of the headers that carry `sha256=<hex>` and the delivery's id. */
  signatureHeader: string
  deliveryHeader: string
  /**
   * Reads a body whose signature was found valid, and keeps the few hundred bytes that matter.
   *
   * @throws KodusError WEBHOOK_MALFORMED naming the field that is missing or wrong
   */
  narrow(headers: IncomingHttpHeaders, body: Buffer): NarrowedWebhook
}

/** A webhook whose signature is right and whose content is not. */
export function malformed(message: string, help: string): KodusError {
  return new KodusError('WEBHOOK_MALFORMED', message, { help })
}
