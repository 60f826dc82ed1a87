import type { IncomingMessage, ServerResponse } from 'node:http'
import { WEBHOOK_SOURCES } from '../forges/webhooks.ts'
import type { ForgeName } from '../jobs/review-request.ts'
import { asKodusError, messageOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { type Answer, answerError } from './answer.ts'
import type { WebhookSecrets } from './config.ts'
import type { MakeDurable } from './make-durable.ts'
import { createBodyReader } from './read-body.ts'
import { isDeliveryId, receiveWebhook } from './receive-webhook.ts'

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

  return async (forge, request, response) => {
    const began = performance.now()
    const about = (outcome: string, answered: number) => {
      const claimed = request.headers[WEBHOOK_SOURCES[forge].deliveryHeader]
      const deliveryId = isDeliveryId(claimed) ? claimed : undefined
      return { forge, deliveryId, answered, count: count(outcome), ms: Math.round(performance.now() - began) }
    }
    try {
      const received = await receiveWebhook(forge, request, response, {
        secrets: secrets[forge],
        readBody,
        makeDurable,
        isAllowed: (repository) => isAllowed(forge, repository),
      })
      const { outcome, jobId, by, body } = received
      const detail = body.ignored ?? body.updated
      log.info({ ...about(outcome, 202), jobId, by }, `webhook ${outcome}${detail ? `: ${detail}` : ''}`)
      return { status: 202, body }
    } catch (error) {
      const answer = answerError(error)
      const { code, message, cause } = asKodusError(error)
      const because = cause === undefined ? undefined : messageOf(cause)
      const line = { ...about(code, answer.status), code, because }
      if (answer.status === 500) log.error({ ...line, err: error }, 'webhook failed')
      else log.warn(line, `webhook refused: ${message}`)
      return answer
    }
  }
}
