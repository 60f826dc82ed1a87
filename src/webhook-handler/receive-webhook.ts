import { hash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { NarrowedWebhook } from '../forges/webhook-source.ts'
import { WEBHOOK_SOURCES } from '../forges/webhooks.ts'
import type { JobStatus } from '../jobs/job.ts'
import { type Delivery, type ForgeName, jobIdOf, type PullRequestState } from '../jobs/review-request.ts'
import { KodusError } from '../lib/errors.ts'
import { isCommitId } from '../lib/git/ref.ts'
import { reached } from '../lib/moments.ts'
import { traced, traceparent } from '../lib/telemetry/trace.ts'
import type { WebhookSecrets } from './config.ts'
import type { MakeDurable, Receipt } from './make-durable.ts'
import { bodyTooLarge, MAX_BODY_BYTES, type ReadBody } from './read-body.ts'
import { verifySignature } from './verify-signature.ts'

/** A text that was cut out of a larger one keeps all of that in memory: from here on it is copied. */
const COPIED_FROM_BYTES = 40_000

/** What became of a webhook. `body` is told to the sender, with 202. */
export interface Received {
  outcome: 'accepted' | 'duplicate' | 'updated' | 'ignored'
  jobId?: string
  by?: Receipt['by']
  body: { jobId?: string; status?: JobStatus | null; duplicate?: true; updated?: string; ignored?: string }
}

/**
 * Takes one webhook from its headers to its receipt: verify, narrow, make durable. Nothing of the body is
 * parsed before its signature was found valid, and nothing larger than a narrowed request waits for a store.
 *
 * @throws KodusError with a code of `answer.ts` for whatever is not answered 202
 */
export async function receiveWebhook(
  forge: ForgeName,
  request: IncomingMessage,
  response: ServerResponse,
  {
    secrets,
    readBody,
    makeDurable,
    isAllowed,
  }: {
    secrets: WebhookSecrets
    readBody: ReadBody
    makeDurable: MakeDurable
    /** Whether the operator lets this installation work for a repository. */
    isAllowed: (repository: string) => boolean
  },
): Promise<Received> {
  const { headers } = request
  const source = WEBHOOK_SOURCES[forge]
  if (secrets.valid.length === 0) throw secretNotConfigured(secrets.variable)
  if (Number(headers['content-length']) > MAX_BODY_BYTES) throw bodyTooLarge()
  const signature = headers[source.signatureHeader]
  if (typeof signature !== 'string')
    throw signatureInvalid(forge, `The header ${source.signatureHeader} is missing.`)

  if (headers.expect) response.writeContinue()
  const delivery = await traced({ name: 'verify' }, () =>
    readDelivery(forge, request, { signature, secrets, readBody }),
  )
  if ('ignored' in delivery) return { outcome: 'ignored', body: { ignored: delivery.ignored } }
  const { repository } = delivery.request ?? delivery.command ?? delivery.pullRequest ?? { repository: '' }
  if (!isAllowed(repository)) {
    return { outcome: 'ignored', body: { ignored: `${repository} is not on the allowlist` } }
  }

  const trace = traceparent()
  if (trace) delivery.traceparent = trace
  const { by, recorded } = await traced({ name: 'make durable' }, () => makeDurable(delivery))
  if (!delivery.request && !delivery.command && delivery.pullRequest)
    return { outcome: 'updated', by, body: { updated: tell(delivery.pullRequest) } }

  const { status, duplicate, jobId } = recorded ?? { ...delivery, status: 'PENDING', duplicate: false }
  return duplicate
    ? { outcome: 'duplicate', jobId, by, body: { jobId, status, duplicate } }
    : { outcome: 'accepted', jobId, by, body: { jobId, status } }
}

/**
 * A function of its own, so that nothing of the body is kept by one that waits for a store.
 *
 * @throws KodusError SIGNATURE_INVALID, DELIVERY_ID_INVALID or WEBHOOK_MALFORMED, or what `readBody` throws
 */
async function readDelivery(
  forge: ForgeName,
  request: IncomingMessage,
  { signature, secrets, readBody }: { signature: string; secrets: WebhookSecrets; readBody: ReadBody },
): Promise<Delivery | { ignored: string }> {
  const { headers } = request
  const body = await readBody(request)
  const source = WEBHOOK_SOURCES[forge]
  const mac = verifySignature(body, signature, secrets.valid)
  if (!mac) {
    const made = `The header ${source.signatureHeader} was not made with ${secrets.variable}`
    throw signatureInvalid(forge, `${made}, or not for this body.`)
  }
  const deliveryId = readDeliveryId(headers[source.deliveryHeader], source.deliveryHeader)
  reached('webhook-verified', { forge })
  const narrowed = source.narrow(headers, body)
  if ('ignored' in narrowed) return narrowed
  const delivery: Delivery = {
    forge,
    deliveryId,
    jobId: jobIdOf(forge, deliveryId),
    digest: digestOf(mac, narrowed, deliveryId),
    receivedAt: new Date().toISOString(),
    ...narrowed,
  }
  return body.length > COPIED_FROM_BYTES ? structuredClone(delivery) : delivery
}

/**
 * What makes two deliveries the same whatever their ids: the signed body, told by its signature, which only the
 * holder of the secret can make another of. (Hashed: a signature may be replayed, and has no place in a table.) Not
 * where the body names a branch as its head: the same words may then mean another commit, and sending them again
 * asks for another review.
 */
function digestOf(mac: Buffer, narrowed: NarrowedWebhook, deliveryId: string): string {
  const namesBranch = 'request' in narrowed && !isCommitId(narrowed.request.head)
  return hash('sha256', namesBranch ? Buffer.concat([mac, Buffer.from(deliveryId)]) : mac)
}

function tell({ repository, pullRequest, state, draft }: PullRequestState): string {
  return `pull request ${pullRequest} of ${repository} is ${draft && state === 'open' ? 'a draft' : state}`
}

/** Forges send UUIDs; whatever is signed in our own name may use any short word. */
export function isDeliveryId(header: string | string[] | undefined): header is string {
  return typeof header === 'string' && /^[\w.:-]{1,128}$/.test(header)
}

function readDeliveryId(header: string | string[] | undefined, name: string): string {
  if (isDeliveryId(header)) return header
  const fault = header === undefined ? 'is missing' : 'is not a usable id'
  throw new KodusError('DELIVERY_ID_INVALID', `The header ${name} ${fault}.`, {
    help: 'Send an id of its own with each webhook: 1 to 128 letters, digits and `_.:-`.',
  })
}

const HOW_TO_SIGN: Record<ForgeName, string> = {
  github:
    "The secret on the App's page (Webhook), or in the settings of the repository's webhook, has to be the one in GITHUB_WEBHOOK_SECRET. A relay must pass the body on unchanged.",
  git: 'Send `sha256=` and the hex HMAC-SHA256 of the raw body, keyed with the secret in GIT_WEBHOOK_SECRET.',
}

function signatureInvalid(forge: ForgeName, message: string): KodusError {
  return new KodusError('SIGNATURE_INVALID', message, { help: HOW_TO_SIGN[forge] })
}

function secretNotConfigured(variable: string): KodusError {
  return new KodusError('SECRET_NOT_CONFIGURED', `${variable} is not set, so no signature can be checked.`, {
    help: `Set ${variable} to the secret of the webhook and restart the webhook handler.`,
  })
}
