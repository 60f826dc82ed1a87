import { asKodusError, KodusError, messageOf } from '../../lib/errors.ts'
import { rateLimitWait, retryAfter, untilReset, withMargin } from './rate-limit.ts'

/** What octokit throws for an answer that says no, as far as it is looked at: its `RequestError`. */
export interface RefusedRequest extends Error {
  status: number
  request: { method: string; url: string; headers: object; body?: unknown; request?: unknown }
  response?: { status: number; headers: Record<string, string | undefined>; data: unknown }
}

/** As whom a request was made: what to change when it is refused differs. */
export type ActorKind = 'app' | 'installation' | 'token'

/**
 * Anything that a request through octokit can throw, as a KodusError. Its `cause` is octokit's error (`status`,
 * `response.data`), without the request's headers and body.
 */
export function githubError(thrown: unknown, actor: ActorKind): KodusError {
  if (thrown instanceof KodusError) return thrown
  if (!isRefusedRequest(thrown)) return asKodusError(thrown)
  if (thrown.cause instanceof KodusError) return thrown.cause
  // Its headers hold the token, half hidden, and its body what we wrote: none of it is for a log.
  thrown.request = { method: thrown.request.method, url: thrown.request.url, headers: {} }
  if (!thrown.response) return unreachable(thrown)
  return refused(thrown, thrown.response, actor)
}

function refused(
  error: RefusedRequest,
  { headers, data }: NonNullable<RefusedRequest['response']>,
  actor: ActorKind,
): KodusError {
  const { status } = error
  const message = wordsOf(data)
  const where = `${error.request.method} ${pathOf(error.request.url)}`
  const said = `${where} (${status}): ${quote(message) || 'no reason given'}`

  const waitMs = rateLimitWait({ status, headers, message })
  if (waitMs !== undefined) return rateLimited(said, waitMs, error)
  if (status >= 500 || status === 408) {
    const wait = retryAfter(headers)
    return new KodusError('GITHUB_UNAVAILABLE', `GitHub failed at ${said}`, {
      help: 'Reviews are tried again by themselves. If it goes on, look at githubstatus.com, or ask who runs your GitHub Enterprise Server.',
      retryability: 'transient',
      ...(wait === undefined ? {} : { retryAfterMs: withMargin(wait) }),
      cause: error,
    })
  }
  if (status === 401) return unauthorized(said, actor, error)
  if (status === 403) return forbidden(said, headers, message, error)
  if (status === 404) {
    return new KodusError('GITHUB_NOT_FOUND', `GitHub does not know, or does not show: ${said}`, {
      help: 'It was deleted, or the App or token has no access to it: GitHub answers both alike.',
      cause: error,
    })
  }
  if (status >= 300 && status < 400) {
    return new KodusError('GITHUB_REDIRECTED', `GitHub points somewhere else at ${said}`, {
      help: 'Set GITHUB_API_URL to the address that answers.',
      cause: error,
    })
  }
  return new KodusError('GITHUB_REFUSED', `GitHub refused ${said}`, {
    help: 'The message is GitHub’s own. If nothing in it can be changed by you, this is a defect: please report it.',
    cause: error,
  })
}

function unauthorized(said: string, actor: ActorKind, cause: unknown): KodusError {
  const help = {
    app: 'Check that GITHUB_APP_ID and the private key belong to the same App, that the key was not deleted on its page, and that this machine’s clock is right.',
    installation:
      'GitHub did not take the token that it had just handed out. Reviews are tried again by themselves. If it goes on, look whether the App was uninstalled.',
    token: 'GITHUB_TOKEN is wrong, expired or revoked: set a new one.',
  }[actor]
  const retryability = actor === 'installation' ? 'transient' : 'permanent'
  return new KodusError('GITHUB_UNAUTHORIZED', `GitHub does not accept who asks: ${said}`, {
    help,
    retryability,
    cause,
  })
}

function forbidden(
  said: string,
  headers: Readonly<Record<string, string | undefined>>,
  message: string,
  cause: unknown,
): KodusError {
  const permissions = headers['x-accepted-github-permissions']
  let help =
    'Give the App or token the permission, or run `kodus setup github`, which lists the few that are needed.'
  if (permissions) {
    help = `It needs the permission ${quote(permissions).replaceAll('=', ': ')}. Grant it on the App's page, and accept it where the App is installed; or give it to the token.`
  }
  if (headers['x-github-sso'])
    help = "Authorise the token for the organisation's single sign-on, at github.com/settings/tokens."
  if (/suspended/i.test(message))
    help = "The App's installation is suspended: an owner of the account can resume it in its settings."
  return new KodusError('GITHUB_FORBIDDEN', `GitHub does not allow ${said}`, { help, cause })
}

function rateLimited(said: string, waitMs: number, cause: unknown): KodusError {
  return new KodusError('GITHUB_RATE_LIMITED', `GitHub limits the rate of requests: ${said}`, {
    help: 'Reviews are tried again by themselves when GitHub allows. An App has higher limits than a token; fewer WORKER_SLOTS ask less at once.',
    retryability: 'transient',
    retryAfterMs: withMargin(waitMs),
    cause,
  })
}

/** A GraphQL answer, which is a 200 whatever went wrong. */
export interface GraphqlAnswer {
  headers: Readonly<Record<string, string | number | undefined>>
  data: { errors: readonly { type?: string; message?: string }[]; data?: unknown }
}

/**
 * A GraphQL answer with errors, as the same errors that REST has. `cause` has `status` 200 and `response.data`
 * with GitHub's `errors`, and `data` as far as there is any.
 */
export function graphqlError(answer: GraphqlAnswer): KodusError {
  const { errors } = answer.data
  const said = `GraphQL: ${quote(errors.map(({ message }) => message ?? '').join('; ')) || 'no reason given'}`
  const cause = Object.assign(new Error(said), { status: 200, response: { status: 200, ...answer } })
  const types = errors.map(({ type }) => type)
  if (types.includes('RATE_LIMITED') || /\brate limit\b/i.test(said)) {
    const wait = retryAfter(answer.headers) ?? untilReset(answer.headers)
    return rateLimited(said, wait, cause)
  }
  if (types.includes('FORBIDDEN') || types.includes('INSUFFICIENT_SCOPES')) {
    return forbidden(said, {}, said, cause)
  }
  if (types.includes('NOT_FOUND')) {
    return new KodusError('GITHUB_NOT_FOUND', `GitHub does not know, or does not show: ${said}`, {
      help: 'It was deleted, or the App or token has no access to it: GitHub answers both alike.',
      cause,
    })
  }
  // Without a type: a time-out ("Something went wrong while executing your query") or an internal failure.
  if (types.every((type) => type === undefined || type === 'INTERNAL' || type === 'SERVICE_UNAVAILABLE')) {
    return new KodusError('GITHUB_UNAVAILABLE', `GitHub failed at ${said}`, {
      help: 'Reviews are tried again by themselves. If it goes on, look at githubstatus.com.',
      retryability: 'transient',
      cause,
    })
  }
  return new KodusError('GITHUB_REFUSED', `GitHub refused ${said}`, {
    help: 'The message is GitHub’s own. If nothing in it can be changed by you, this is a defect: please report it.',
    cause,
  })
}

const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|ALTNAME|certificate/i

/** No answer, or half of one. */
export function unreachable(thrown: unknown): KodusError {
  const why = rootCause(thrown)
  const help = CERTIFICATE.test(why)
    ? 'If your network or server has certificates of its own, let GITHUB_CA_FILE name the PEM file with their authority.'
    : 'Check GITHUB_API_URL, the network, and the proxy (HTTPS_PROXY, NO_PROXY) on this machine. Reviews are tried again by themselves.'
  return new KodusError('GITHUB_UNREACHABLE', `GitHub cannot be reached: ${quote(why)}`, {
    help,
    retryability: 'transient',
    cause: thrown,
  })
}

/** An answer that GitHub did not give, or not to its end. */
export function badAnswer(what: string): KodusError {
  return new KodusError('GITHUB_UNREACHABLE', `What was reached as GitHub ${what}.`, {
    help: 'Something between here and GitHub may answer in its place: check GITHUB_API_URL and the proxy. Reviews are tried again by themselves.',
    retryability: 'transient',
  })
}

export function tooLarge(maxBytes: number): KodusError {
  return new KodusError('GITHUB_ANSWER_TOO_LARGE', `GitHub answered with more than ${maxBytes} bytes.`, {
    help: 'The pull request is larger than what is read of one. Split it, or ignore what is generated in it.',
  })
}

export function redirectedAway(origin: string): KodusError {
  return new KodusError('GITHUB_REDIRECTED', `${origin} points to another server, which was not asked.`, {
    help: 'Tokens are for the server of GITHUB_API_URL alone. Set it to the address that answers, if you trust it.',
  })
}

function isRefusedRequest(thrown: unknown): thrown is RefusedRequest {
  return thrown instanceof Error && thrown.name === 'HttpError' && 'status' in thrown && 'request' in thrown
}

/** GitHub's `message`, and what it says of single fields. */
function wordsOf(data: unknown): string {
  if (typeof data === 'string') return /^\s*</.test(data) ? 'a page of HTML' : data
  if (typeof data !== 'object' || data === null || !('message' in data)) return ''
  const details = 'errors' in data && Array.isArray(data.errors) ? data.errors.slice(0, 3) : []
  const texts = details.map((detail: unknown) =>
    typeof detail === 'string' ? detail : JSON.stringify(detail, ['message', 'field', 'code', 'resource']),
  )
  return [String(data.message), ...texts].join('; ')
}

/** Without origin, and without a query, whose values nobody vouches for. */
function pathOf(url: string): string {
  return URL.canParse(url) ? new URL(url).pathname.slice(0, 200) : 'a request'
}

function rootCause(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  if (thrown.cause instanceof Error) return rootCause(thrown.cause)
  const { code } = thrown as NodeJS.ErrnoException
  const message = messageOf(thrown)
  return typeof code === 'string' && !message.includes(code) ? `${message} (${code})` : message
}

/** Somebody else's words: one short line of them, without what looks like a token of GitHub's or a JWT. */
function quote(words: string): string {
  return words
    .replace(/\b(gh[a-z]_|github_pat_|v1\.|eyJ)[\w.-]{10,}/g, '[secret]')
    .replace(/[\p{C}\s]+/gu, ' ')
    .slice(0, 300)
    .trim()
}
