import { APIConnectionError, APIError, APIUserAbortError } from 'openai'
import { KodusError } from '../lib/errors.ts'
import { retryAfterMs } from './retry-after.ts'

/** An endpoint as messages name it. */
export interface Endpoint {
  /** Without credentials and query. */
  url: string
  model: string
  apiKey: string | undefined
}

/** What an endpoint said no with: an HTTP status, or the same thing in the body of a 200. */
export interface Refusal {
  status: number
  code: string
  message: string
  headers: Headers
}

/** @returns undefined for a failure that is not an answer: no connection, a broken body */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!(error instanceof APIError) || error.status === undefined) return undefined
  return {
    status: error.status,
    code: String(error.code ?? error.type ?? ''),
    message: error.message,
    headers: error.headers ?? new Headers(),
  }
}

/** A refusal, as the coded error that says whether to try again and what to change. */
export function refused(refusal: Refusal, endpoint: Endpoint): KodusError {
  const { status, code, message, headers } = refusal
  const { url, model } = endpoint
  const said = quote(message, endpoint)
  if (status >= 300 && status < 400) {
    return new KodusError('MODEL_REDIRECTED', `${url} redirects to ${targetOf(headers, url)} (${status}).`, {
      help: 'Redirects are not followed: they would take your code to another address. Set LLM_BASE_URL to the one that answers, if you trust it.',
    })
  }
  if (status === 401 || status === 403) {
    // Not quoted: some endpoints repeat the key they were given.
    return new KodusError('MODEL_UNAUTHORIZED', `${url} refused the key (${status}).`, {
      help: 'Set LLM_API_KEY to a key that this endpoint accepts and that may use LLM_MODEL.',
    })
  }
  if (status === 402 || code === 'insufficient_quota') {
    return new KodusError('MODEL_QUOTA_EXHAUSTED', `${url} wants to be paid first: ${said}`, {
      help: 'Top up the account behind LLM_API_KEY, or point LLM_BASE_URL at another endpoint.',
    })
  }
  if (status === 429) {
    return new KodusError('MODEL_RATE_LIMITED', `${url} limits the rate of requests: ${said}`, {
      help: 'It is tried again by itself. If it goes on, raise the limits behind LLM_API_KEY, or run fewer reviews at once.',
      retryability: 'transient',
      ...waiting(headers),
    })
  }
  if (exceedsContext(refusal)) {
    return new KodusError('MODEL_CONTEXT_EXCEEDED', `A request was too large for ${model}: ${said}`, {
      help: 'Set LLM_MODEL to a model with a larger context, or start the server behind LLM_BASE_URL with one.',
    })
  }
  if (status === 404 || code === 'model_not_found') {
    return new KodusError('MODEL_UNKNOWN', `${url} has no chat completions of model ${model}: ${said}`, {
      help: 'LLM_MODEL must be a name that the endpoint lists under /models, and LLM_BASE_URL must end where /chat/completions begins (usually /v1).',
    })
  }
  if (status >= 500 || status === 408) return unavailable(`answered ${status}: ${said}`, endpoint, headers)
  if (/content_?(filter|policy)|moderation/i.test(code)) {
    return unusable(`the endpoint's content filter refused the request: ${said}`, endpoint)
  }
  return new KodusError('MODEL_REQUEST_REFUSED', `${url} refused a request (${status}): ${said}`, {
    help: 'Check that LLM_BASE_URL speaks the OpenAI chat completions protocol and that LLM_MODEL is a chat model.',
  })
}

/** No answer, or half of one: `thrown` is what the connection failed with. */
export function disconnected(thrown: unknown, endpoint: Endpoint, timeoutMs: number): KodusError {
  if (thrown instanceof APIUserAbortError || isAbort(thrown)) {
    return unavailable(`did not answer within ${timeoutMs / 1000} s`, endpoint)
  }
  const why = quote(rootCause(thrown), endpoint)
  if (thrown instanceof APIConnectionError) return unavailable(`cannot be reached: ${why}`, endpoint)
  return unavailable(`broke off its answer: ${why}`, endpoint)
}

/** An answer came, and nothing can be made of it. */
export function unusable(why: string, { model }: Pick<Endpoint, 'model'>): KodusError {
  return new KodusError('MODEL_ANSWER_UNUSABLE', `The answer of ${model} cannot be used: ${why}.`, {
    help: 'If it happens often, set LLM_MODEL to a model that follows a JSON schema, or give it room for longer answers.',
  })
}

function unavailable(what: string, { url }: Endpoint, headers?: Headers): KodusError {
  return new KodusError('MODEL_UNAVAILABLE', `${url} ${what}`, {
    help: 'It is tried again by itself. If it goes on, check that the server at LLM_BASE_URL runs and can be reached from the worker.',
    retryability: 'transient',
    ...(headers ? waiting(headers) : {}),
  })
}

function waiting(headers: Headers): { retryAfterMs?: number } {
  const wait = retryAfterMs(headers)
  return wait === undefined ? {} : { retryAfterMs: wait }
}

/** OpenAI, vLLM, llama.cpp, Mistral, Anthropic and Groq each say it in words of their own. */
const CONTEXT =
  /context[ _](length|window|size)|maximum context|too many tokens|(prompt|input|request) (is )?too (long|large)/i

function exceedsContext({ status, code, message }: Refusal): boolean {
  if (status === 413) return true
  return [400, 422, 500].includes(status) && (CONTEXT.test(code) || CONTEXT.test(message))
}

function isAbort(thrown: unknown): boolean {
  return thrown instanceof Error && (thrown.name === 'AbortError' || thrown.name === 'TimeoutError')
}

function rootCause(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  if (thrown.cause instanceof Error) return rootCause(thrown.cause)
  const { code } = thrown as NodeJS.ErrnoException
  return code ?? (thrown.message || thrown.name)
}

/** Where a redirect points, without what may be secret in it. */
function targetOf(headers: Headers, url: string): string {
  const location = headers.get('location') ?? ''
  if (!location || !URL.canParse(location, url)) return 'somewhere else'
  const { origin, pathname } = new URL(location, url)
  return cut(`${origin}${pathname}`)
}

/** An endpoint's own words: one short line of them, without the key. */
function quote(words: string, { apiKey }: Endpoint): string {
  const safe = apiKey ? words.replaceAll(apiKey, '[secret]') : words
  return cut(safe.replace(/[\p{C}\s]+/gu, ' '))
}

/** 300 UTF-16 units at most, and no half of a character, which JSON and databases refuse. */
function cut(words: string): string {
  return words.slice(0, 300).replace(/\p{Cs}/gu, '')
}
