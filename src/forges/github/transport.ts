import { setTimeout as sleep } from 'node:timers/promises'
import { type Dispatcher, fetch as undiciFetch } from 'undici'
import { KodusError } from '../../lib/errors.ts'
import { DEFAULT_TRANSPORT_LIMITS, type TransportLimits } from './dispatcher.ts'
import { badAnswer, redirectedAway, tooLarge, unreachable } from './errors.ts'
import type { EtagCache } from './etag-cache.ts'
import { rateLimitWait } from './rate-limit.ts'

/** The part of fetch that octokit uses, and asks of its own. */
export type GitHubFetch = (url: string, init: GitHubRequestInit) => Promise<Response>

export interface GitHubRequestInit {
  method: string
  headers: Record<string, string>
  body?: string
  signal?: AbortSignal
}

export interface TransportOptions {
  dispatcher: Dispatcher
  limits?: TransportLimits
  apiUrl: string
  cache: EtagCache
  /** Learns of each answer's `date`. */
  onDate: (date: number) => void
}

const RETRY_MS = 500
const MAX_REDIRECTS = 3

/**
 * Requests to the API's own origin, each answer read to its end: within the limits, JSON where JSON was asked
 * for, redirects followed (a renamed repository) with method and body as they were. A GET says which answer it
 * has, and gets that one when nothing changed; it is made again, once, when the connection broke or the server
 * failed. A short rate limit is sat out.
 *
 * @param identity as whom: nobody is given what was kept for another
 * @returns answers of any status
 * @throws KodusError GITHUB_UNREACHABLE, GITHUB_REDIRECTED, GITHUB_ANSWER_TOO_LARGE; `signal.reason`
 */
export function createGitHubFetch(identity: string, options: TransportOptions): GitHubFetch {
  const { origin } = new URL(options.apiUrl)
  const { dispatcher, limits = DEFAULT_TRANSPORT_LIMITS } = options

  const once = async (url: string, init: GitHubRequestInit): Promise<Answer> => {
    const answer = await follow(url, init, { dispatcher, limits, origin })
    const date = Date.parse(answer.headers.get('date') ?? '')
    if (!Number.isNaN(date)) options.onDate(date)
    return answer
  }

  // What was refused for its rate was not done, and what was read may be read again: nothing is done twice.
  const patiently = async (url: string, init: GitHubRequestInit): Promise<Answer> => {
    const answer =
      init.method === 'GET' ? await twice(() => once(url, init), init.signal) : await once(url, init)
    const waitMs = waitOf(answer)
    if (waitMs === undefined || waitMs > limits.patienceMs) return answer
    await pause(waitMs + 100, init.signal)
    return await once(url, init)
  }

  return async (url, init) => {
    const { cache } = options
    if (init.method !== 'GET') return toResponse(await patiently(url, init), url)
    const key = JSON.stringify([identity, url, init.headers.accept])
    const kept = cache.get(key)
    const headers = kept ? { ...init.headers, 'if-none-match': kept.etag } : init.headers
    const answer = await patiently(url, { ...init, headers })
    if (kept && answer.status === 304) {
      const current = new Headers(kept.headers)
      for (const [name, value] of answer.headers) current.set(name, value)
      return toResponse({ status: 200, headers: withoutLength(current), body: kept.body }, url)
    }
    const etag = answer.headers.get('etag')
    if (etag && answer.status === 200) cache.set(key, { etag, headers: answer.headers, body: answer.body })
    return toResponse(answer, url)
  }
}

interface Answer {
  status: number
  headers: Headers
  body: Buffer
}

/** Again, once, where the first time ended in nothing or in a failure of the server. */
async function twice(ask: () => Promise<Answer>, signal: AbortSignal | undefined): Promise<Answer> {
  try {
    const answer = await ask()
    if (answer.status < 500) return answer
  } catch (error) {
    signal?.throwIfAborted()
    if (!(error instanceof KodusError) || error.retryability !== 'transient') throw error
  }
  await pause(RETRY_MS, signal)
  return await ask()
}

function waitOf({ status, headers, body }: Answer): number | undefined {
  const message = status >= 400 ? body.subarray(0, 2_000).toString('utf8') : ''
  return rateLimitWait({ status, headers: Object.fromEntries(headers), message })
}

async function follow(
  start: string,
  init: GitHubRequestInit,
  { origin, ...connection }: { origin: string; dispatcher: Dispatcher; limits: TransportLimits },
): Promise<Answer> {
  let url = start
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    // Links of an answer's pages come this way too: a token is for its own server alone.
    if (new URL(url).origin !== origin) throw redirectedAway(origin)
    const answer = await send(url, init, connection)
    const target = redirectTarget(answer, url)
    if (!target) return answer
    url = target
  }
  throw badAnswer(`redirected more than ${MAX_REDIRECTS} times`)
}

/** Followed by hand: fetch would make a GET of a POST. */
function redirectTarget({ status, headers }: Answer, url: string): string | undefined {
  if (![301, 302, 307, 308].includes(status)) return undefined
  const location = headers.get('location')
  return location && URL.canParse(location, url) ? new URL(location, url).href : undefined
}

async function send(
  url: string,
  init: GitHubRequestInit,
  { dispatcher, limits: { answerMs, answerBytes } }: { dispatcher: Dispatcher; limits: TransportLimits },
): Promise<Answer> {
  const { signal: asked } = init
  const tooLong = AbortSignal.timeout(answerMs)
  const signal = asked ? AbortSignal.any([asked, tooLong]) : tooLong
  try {
    const { method, headers, body } = init
    const response = await undiciFetch(url, { method, headers, body, signal, dispatcher, redirect: 'manual' })
    const answer = {
      status: response.status,
      headers: new Headers([...response.headers]),
      body: await readBody(response.body, answerBytes),
    }
    checkJson(answer, headers.accept ?? '')
    return answer
  } catch (error) {
    asked?.throwIfAborted()
    if (error instanceof KodusError) throw error
    throw unreachable(tooLong.aborted ? new Error(`no whole answer within ${answerMs / 1000} s`) : error)
  }
}

async function readBody(body: AsyncIterable<Uint8Array> | null, maxBytes: number): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of body ?? []) {
    bytes += piece.byteLength
    if (bytes > maxBytes) throw tooLarge(maxBytes)
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

/** Half an answer that was framed as a whole one, or a proxy's login page: octokit would hand it on as text. */
function checkJson({ status, headers, body }: Answer, accept: string): void {
  const asksForJson = /json/.test(accept) && !/\.(raw|diff|patch|html)/.test(accept)
  if (!asksForJson || status < 200 || status > 299) return
  if (body.length === 0 && [202, 204, 205].includes(status)) return
  try {
    if (!/json/i.test(headers.get('content-type') ?? '')) throw new Error('no JSON')
    JSON.parse(body.toString('utf8'))
  } catch {
    throw badAnswer('answered with something else than JSON, or half of it')
  }
}

async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => signal?.throwIfAborted())
}

/** The body is as it was sent, and no longer compressed. */
function withoutLength(headers: Headers): Headers {
  headers.delete('content-length')
  headers.delete('content-encoding')
  return headers
}

function toResponse({ status, headers, body }: Answer, url: string): Response {
  const empty = status === 204 || status === 205 || status === 304
  const response = new Response(empty ? null : body, { status, headers: withoutLength(new Headers(headers)) })
  // Octokit reports it as the answer's `url`, which a constructed Response leaves empty.
  return Object.defineProperty(response, 'url', { value: url })
}
