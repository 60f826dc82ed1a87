import { Octokit as Core } from '@octokit/core'
import { paginateRest } from '@octokit/plugin-paginate-rest'
import type { Log } from '../../lib/log.ts'
import { VERSION } from '../../lib/version.ts'
import { type ActorKind, type GraphqlAnswer, githubError, graphqlError } from './errors.ts'
import { measureRequest } from './measure-request.ts'
import type { GitHubFetch } from './transport.ts'

const PagingOctokit = Core.plugin(paginateRest)

/** octokit with `request`, `graphql` and `paginate`. Whatever fails, fails with a KodusError: see `errors.ts`. */
export type Octokit = InstanceType<typeof PagingOctokit>

/** As whom requests are made. */
export interface Actor {
  kind: ActorKind
  /** What answers are kept under: nobody gets another's. */
  key: string
  authorize(): Promise<Authorization>
}

export interface Authorization {
  header: string
  /** Another header, where this one was not taken. Undefined where it could do no better. */
  renewed(): Promise<string | undefined>
}

/** @param options `signal`: for every request, the pages of `paginate` included */
export function createOctokit({
  apiUrl,
  actor,
  fetch,
  signal,
  log,
}: {
  apiUrl: string
  actor: Actor
  fetch: GitHubFetch
  signal: AbortSignal | undefined
  log: Log
}): Octokit {
  const octokit = new PagingOctokit({
    baseUrl: apiUrl,
    userAgent: `kodus-ai/${VERSION}`,
    request: { fetch, signal, log: octokitLog(log) },
    log: octokitLog(log),
  })
  octokit.hook.wrap('request', async (request, options) => {
    const given = options.request?.signal as AbortSignal | undefined
    const as = (authorization: string) => {
      const headers = { 'x-github-api-version': '2022-11-28', ...options.headers, authorization }
      return request({ ...options, headers })
    }
    try {
      given?.throwIfAborted()
      const response = await renewing(actor, as, given)
      if (options.url.endsWith('/graphql') && response.data?.errors) {
        throw graphqlError(response as GraphqlAnswer)
      }
      return response
    } catch (error) {
      given?.throwIfAborted()
      throw githubError(error, actor.kind)
    }
  })
  // The last to wrap is the outermost: it sees the errors that ours have become.
  octokit.hook.wrap('request', (request, options) => measureRequest(options, async () => request(options)))
  return octokit
}

/** What octokit has to say (a deprecation, mostly) is for those who look closely. */
function octokitLog(log: Log) {
  const debug = (message: string) => log.debug(message)
  return { debug, info: debug, warn: debug, error: debug }
}

/** Once more with another authorization, where the first was not taken and there is one. */
async function renewing<T>(
  actor: Actor,
  as: (authorization: string) => T | Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  const { header, renewed } = await orAborted(actor.authorize(), signal)
  try {
    return await as(header)
  } catch (error) {
    if (!(error instanceof Error && 'status' in error && error.status === 401)) throw error
    const another = await orAborted(renewed(), signal)
    if (another === undefined) throw error
    return await as(another)
  }
}

/** What several wait for, as one of them may give up on it. @throws `signal.reason` */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return await work
  signal.throwIfAborted()
  return await new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
