import type { IncomingMessage, ServerResponse } from 'node:http'
import { WEBHOOK_SOURCES } from '../forges/webhooks.ts'
import type { ForgeName } from '../jobs/review-request.ts'
import { asKodusError, messageOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { webhookDuration, webhooks } from '../lib/telemetry/catalogue.ts'
import { secondsSince } from '../lib/telemetry/instrument.ts'
import { annotate, traced } from '../lib/telemetry/trace.ts'
import { type Answer, answerError } from './answer.ts'
import type { WebhookSecrets } from './config.ts'
import type { MakeDurable } from './make-durable.ts'
import { createBodyReader, handlerBusy } from './read-body.ts'
import { isDeliveryId, receiveWebhook } from './receive-webhook.ts'

/** Webhooks in hand at once, waiting for their sender or for a store: some 20 kB each, so 80 MB. */
const MAX_IN_HAND = 4_096

/** Some 2,500 typical webhooks at once, and well within the memory of the smallest task. */
const MAX_TOTAL_BODY_BYTES = 64 * 1024 * 1024

export type WebhookRoute = (
  forge: ForgeName,
  request: IncomingMessage,
  response: ServerResponse,
) => Promise<Answer>

/**
 * Answers webhooks, each with one line in the log, and counts the answers: the line's `count` is how many
 * had the same outcome since the start.
 */
export function createWebhookRoute({
  secrets,
  isAllowed,
  makeDurable,
  log,
}: {
  secrets: Readonly<Record<ForgeName, WebhookSecrets>>
  isAllowed: (forge: ForgeName, repository: string) => boolean
  makeDurable: MakeDurable
  log: Log
}): WebhookRoute {
  const readBody = createBodyReader({ maxTotalBytes: MAX_TOTAL_BODY_BYTES })
  const counts = new Map<string, number>()
  const count = (outcome: string) => {
    const before = counts.get(outcome) ?? 0
    counts.set(outcome, before + 1)
    return before + 1
  }

  let inHand = 0

  return (forge, request, response) =>
    traced({ name: `POST /webhooks/${forge}`, kind: 'server' }, () => take(forge, request, response))

  async function take(forge: ForgeName, request: IncomingMessage, response: ServerResponse): Promise<Answer> {
    const began = performance.now()
    const about = (outcome: string, answered: number) => {
      const claimed = request.headers[WEBHOOK_SOURCES[forge].deliveryHeader]
      const deliveryId = isDeliveryId(claimed) ? claimed : undefined
      return { forge, deliveryId, answered, count: count(outcome), ms: Math.round(performance.now() - began) }
    }
    const measure = (path: string, outcome: string, status: number) => {
      webhooks.add({ forge, path, outcome })
      webhookDuration.record({ forge, path }, secondsSince(began))
      annotate({ 'http.response.status_code': status, 'kodus.webhook.outcome': outcome })
    }
    inHand += 1
    try {
      if (inHand > MAX_IN_HAND) throw handlerBusy()
      const received = await receiveWebhook(forge, request, response, {
        secrets: secrets[forge],
        readBody,
        makeDurable,
        isAllowed: (repository) => isAllowed(forge, repository),
      })
      const { outcome, jobId, by, body } = received
      measure(by ?? 'none', outcome, 202)
      if (jobId) annotate({ 'kodus.job.id': jobId })
      const detail = body.ignored ?? body.updated
      log.info({ ...about(outcome, 202), jobId, by }, `webhook ${outcome}${detail ? `: ${detail}` : ''}`)
      return { status: 202, body }
    } catch (error) {
      const answer = answerError(error)
      const { code, message, cause } = asKodusError(error)
      measure('refused', code, answer.status)
      const because = cause === undefined ? undefined : messageOf(cause)
      const line = { ...about(code, answer.status), code, because }
      if (answer.status === 500) log.error({ ...line, err: error }, 'webhook failed')
      else log.warn(line, `webhook refused: ${message}`)
      return answer
    } finally {
      inHand -= 1
    }
  }
}
