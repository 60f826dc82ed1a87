import type { IncomingMessage, ServerResponse } from 'node:http'
import { KodusError } from '../lib/errors.ts'
import { PROBLEM_TYPE, type Problem, problem } from '../lib/problem.ts'

export interface Answer {
  status: number
  /** Sent as JSON, unless it is text. */
  body: unknown
  headers?: Record<string, string>
}

/** What each error means to the sender. Infrastructure that fails is 503, never 4xx, 410 or 500. */
const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  WEBHOOK_MALFORMED: 400,
  DELIVERY_ID_INVALID: 400,
  DELIVERY_REFUSED: 400,
  /** Nobody is left to read it. */
  UPLOAD_ABORTED: 400,
  SIGNATURE_INVALID: 401,
  BODY_TOO_LARGE: 413,
  SECRET_NOT_CONFIGURED: 503,
  HANDLER_BUSY: 503,
  STORES_UNAVAILABLE: 503,
}

const RETRY_AFTER_SECONDS = 5

/** How long a refused sender may go on sending before the connection is cut, so that it reads the answer. */
const LINGER_MS = 2_000

export function answerProblem(body: Problem, headers: Record<string, string> = {}): Answer {
  return { status: body.status, body, headers: { 'content-type': PROBLEM_TYPE, ...headers } }
}

/** @returns an answer for whatever was thrown; 500, and nothing of its message, for what nobody foresaw */
export function answerError(thrown: unknown): Answer {
  const status = thrown instanceof KodusError ? STATUS_OF_CODE[thrown.code] : undefined
  if (!(thrown instanceof KodusError) || status === undefined) {
    return answerProblem(problem(500, 'UNEXPECTED', 'This is a defect. The log says more.'))
  }
  const retry: Record<string, string> =
    thrown.retryability === 'transient' ? { 'retry-after': String(RETRY_AFTER_SECONDS) } : {}
  return answerProblem(problem(status, thrown.code, thrown.message, thrown.help), retry)
}

/**
 * Sends an answer. When it comes before the whole body was read, the rest is discarded for a moment and the
 * connection closed after it: closing at once would reset it, and the sender might never see the answer.
 */
export function send(
  request: IncomingMessage,
  response: ServerResponse,
  { status, body, headers }: Answer,
  { close }: { close: boolean },
): void {
  if (response.destroyed || response.headersSent) return
  // A string, which leaves together with its head. Before a buffer, Node lets a pipelined request's "100 Continue"
  // come between the two, and the sender reads nonsense.
  const json = typeof body === 'string' ? body : JSON.stringify(body)
  const unread = hasUnreadBody(request)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(json),
    ...(close || unread ? { connection: 'close' } : {}),
    ...headers,
  })
  if (!unread) {
    response.end(json)
    return
  }
  response.write(json)
  const finish = () => {
    clearTimeout(timer)
    response.end()
  }
  const timer = setTimeout(finish, LINGER_MS)
  request.on('error', () => {})
  request.once('end', finish).once('close', finish).resume()
}

function hasUnreadBody({ complete, headers }: IncomingMessage): boolean {
  if (complete) return false
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}
