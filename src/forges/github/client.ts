import type { Log } from '../../lib/log.ts'
import { createAppJwt } from './app-jwt.ts'
import type { GitHubConfig, GitHubCredentials } from './config.ts'
import { createDispatcher, DEFAULT_TRANSPORT_LIMITS, type TransportLimits } from './dispatcher.ts'
import { createEtagCache } from './etag-cache.ts'
import { createInstallations } from './installations.ts'
import { type Actor, createOctokit, type Octokit, orAborted } from './octokit.ts'
import { createGitHubFetch } from './transport.ts'

export type { Octokit } from './octokit.ts'

/** The account that posts. */
export interface GitHubIdentity {
  /** As GitHub writes it at what we post: `kodus[bot]`, or a user's name. */
  login: string
  id: number
  /** Null with a token. */
  appId: number | null
}

/**
 * A client of GitHub's API: limits sat out or named, GETs conditional, tokens kept and renewed. What each
 * request promises, `transport.ts` says.
 */
export interface GitHubClient {
  readonly kind: GitHubCredentials['kind']
  /**
   * For a repository: with an App, as the installation that covers it.
   *
   * @param signal for every request made with it, the pages of `paginate` included
   * @throws KodusError GITHUB_NOT_INSTALLED, GITHUB_REPOSITORY_INVALID, or why GitHub did not answer
   */
  forRepository(repository: string, signal?: AbortSignal): Promise<Octokit>
  /** As the App itself. Undefined with a token. */
  asApp(signal?: AbortSignal): Octokit | undefined
  /** Who we are where we post. Asked once, then remembered. */
  identity(repository: string, signal?: AbortSignal): Promise<GitHubIdentity>
  /** A token that git can read this repository with; with an App, good for nothing else, for ten minutes or more. */
  gitToken(repository: string, signal?: AbortSignal): Promise<string>
}

type Connect = (actor: Actor, signal?: AbortSignal) => Octokit

export interface GitHubClientOptions {
  log: Log
  limits?: Partial<TransportLimits>
}

/** A smaller difference is no reason for GitHub to refuse a JWT, and may be the way that its answer took. */
const CLOCK_TOLERANCE_MS = 5_000

export function createGitHubClient(
  config: GitHubConfig,
  { log, ...options }: GitHubClientOptions,
): GitHubClient {
  const limits = { ...DEFAULT_TRANSPORT_LIMITS, ...options.limits }
  const dispatcher = createDispatcher(config, limits)
  const cache = createEtagCache()
  // What GitHub's clock is ahead of ours, milliseconds, by its last answer.
  const clock = { ahead: 0 }
  const { apiUrl, credentials } = config

  const connect: Connect = (actor, signal) => {
    const onDate = (date: number) => {
      clock.ahead = date - Date.now()
    }
    const fetch = createGitHubFetch(actor.key, { dispatcher, limits, apiUrl, cache, onDate })
    return createOctokit({ apiUrl, actor, fetch, signal, log })
  }
  return credentials.kind === 'token'
    ? createTokenClient(credentials.token, connect)
    : createAppClient(credentials, connect, clock)
}

function createTokenClient(token: string, connect: Connect): GitHubClient {
  const actor: Actor = {
    kind: 'token',
    key: 'token',
    authorize: async () => ({ header: `token ${token}`, renewed: async () => undefined }),
  }
  const identity = remembered(async () => {
    const { data } = await connect(actor).request('GET /user')
    return { login: data.login, id: Number(data.id), appId: null }
  })
  return {
    kind: 'token',
    forRepository: async (_repository, signal) => connect(actor, signal),
    asApp: () => undefined,
    identity: (_repository, signal) => orAborted(identity(), signal),
    gitToken: async () => token,
  }
}

function createAppClient(
  credentials: Extract<GitHubCredentials, { kind: 'app' }>,
  connect: Connect,
  clock: { ahead: number },
): GitHubClient {
  const { appId } = credentials
  const app = createAppActor(credentials, clock)
  const installations = createInstallations(connect(app), appId)
  const forRepository: GitHubClient['forRepository'] = async (repository, signal) => {
    const id = await installations.find(repository, signal)
    const actor: Actor = {
      kind: 'installation',
      key: `installation ${id}`,
      async authorize() {
        const token = await installations.token(id)
        return {
          header: `token ${token}`,
          renewed: async () => `token ${await installations.renew(id, token)}`,
        }
      },
    }
    return connect(actor, signal)
  }
  const identity = remembered(async (repository: string) => {
    const { data } = await connect(app).request('GET /app')
    // A bot has a user's id too, which its comments carry.
    const login = `${data?.slug}[bot]`
    const octokit = await forRepository(repository)
    const user = await octokit.request('GET /users/{username}', { username: login })
    return { login, id: Number(user.data.id), appId }
  })
  return {
    kind: 'app',
    forRepository,
    asApp: (signal) => connect(app, signal),
    identity: (repository, signal) => orAborted(identity(repository), signal),
    async gitToken(repository, signal) {
      return await installations.readToken(await installations.find(repository, signal), repository)
    },
  }
}

/** A JWT for each request. One that our clock spoiled is refused, and the refusal tells GitHub's time. */
function createAppActor(
  credentials: Extract<GitHubCredentials, { kind: 'app' }>,
  clock: { ahead: number },
): Actor {
  const jwt = () => `bearer ${createAppJwt(credentials, Date.now() + clock.ahead)}`
  return {
    kind: 'app',
    key: 'app',
    async authorize() {
      const { ahead } = clock
      const hasMoved = () => Math.abs(clock.ahead - ahead) > CLOCK_TOLERANCE_MS
      return { header: jwt(), renewed: async () => (hasMoved() ? jwt() : undefined) }
    },
  }
}

/** Asked once; a failure is not remembered. */
function remembered<Arguments extends unknown[], T>(
  ask: (...given: Arguments) => Promise<T>,
): (...given: Arguments) => Promise<T> {
  let answer: Promise<T> | undefined
  return (...given) => {
    answer ??= ask(...given).catch((error: unknown) => {
      answer = undefined
      throw error
    })
    return answer
  }
}
