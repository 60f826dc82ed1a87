import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { serveSmartHttp } from '../git/smart-http-server.ts'
import { createClock } from './clock.ts'
import { readDescription } from './description.ts'
import { createRepository, driveRepository } from './drive/repository.ts'
import { createFaults } from './faults.ts'
import { answer } from './http.ts'
import { createLimits } from './limits.ts'
import type { Files } from './model/git.ts'
import type { AppPermissions, Level } from './model/permissions.ts'
import { createState } from './model/state.ts'
import { createDescription, type Description } from './openapi.ts'
import { createInstallationToken } from './rest/apps.ts'
import type { Delivery, Fault, RecordedRequest, Violation } from './types.ts'
import { createOutbox } from './webhooks.ts'
import { createApp, type World } from './world.ts'

export { githubDescription } from './description.ts'
export type { Files } from './model/git.ts'

/**
 * A local GitHub: REST, GraphQL, git over HTTP and webhooks, on one port, with the addresses of a GitHub
 * Enterprise Server. It refuses what GitHub refuses, and checks every REST request and every one of its own
 * answers against GitHub's OpenAPI description, every GraphQL document against GitHub's schema.
 *
 *     const skip = await githubDescription() // at the top of the file: fetched once, or why not
 *     test('…', { skip }, async (t) => {
 *       const github = await startGitHub(t)
 *       const shop = github.createRepository('octo/shop', { files: { 'a.ts': 'let a = 1\n' } })
 *       shop.commit('feature', { 'a.ts': 'let a = 2\n' })
 *       const pull = shop.openPullRequest({ head: 'feature', author: 'mona' })
 *       // GITHUB_API_URL: github.apiUrl, GITHUB_APP_ID: github.app.id, GITHUB_APP_PRIVATE_KEY: github.app.privateKey
 *     })
 *
 * A test in which the server met something that GitHub's description does not allow fails at its end, unless
 * it took the violations itself (`takeViolations`).
 *
 * What is driven from here (`createRepository`, `commit`, `comment`, …) happens at once, as if people had done
 * it; the webhooks it causes are sent in the background (`webhooks.settled()`).
 */
export interface GitHub {
  /** `http://127.0.0.1:PORT/api/v3`. GraphQL is at `/api/graphql`. */
  apiUrl: string
  /** `http://127.0.0.1:PORT`: `${origin}/owner/name.git` can be cloned. */
  origin: string
  /** The only App there is. It posts as `${slug}[bot]`. */
  app: {
    id: number
    slug: string
    clientId: string
    /** PEM (PKCS #1, as GitHub hands it out). */
    privateKey: string
    webhookSecret: string
    /**
     * Change it to take or give a permission, for all installations, from now on. By default what a reviewer
     * needs at least; resolving threads takes `contents: 'write'` on top, as with GitHub.
     */
    permissions: AppPermissions
  }
  clock: Clock

  /** A personal access token of this account (created if need be). */
  createToken(login: string): string
  /** A token of the App's installation on this owner, as `POST …/access_tokens` would give. */
  createInstallationToken(owner: string): string
  /** Takes the App from an owner: its tokens are worthless and its repositories gone. */
  uninstallApp(owner: string): void
  /** The code that GitHub would hand to the manifest flow's redirect URL. */
  createManifestCode(manifest: Record<string, unknown>): string

  /**
   * A repository with one commit on its default branch, `main`. Private, and covered by the App's
   * installation on its owner, unless told otherwise.
   */
  createRepository(fullName: string, options?: CreateRepositoryOptions): Repository
  repository(fullName: string): Repository

  /** Every request so far, oldest first; git's too. */
  requests: RecordedRequest[]
  /** What did not agree with GitHub's description. */
  violations: Violation[]
  /** Empties `violations`, for a test that expects some. */
  takeViolations(): Violation[]

  webhooks: Webhooks
  limits: Limits

  /** Has requests fail. The oldest fault that fits a request and is not used up is the one that happens. */
  fail(fault: Fault): FaultHandle
  /** Forgets all faults, and lets go of what they hold. */
  recover(): void

  /** What git was sent over HTTP so far. */
  git: { fetches: number; bytesSent: number }
}

/** The server's clock: real time, until a test moves or stops it. */
export interface Clock {
  now(): Date
  /** GitHub's time stamps: ISO 8601, to the second. */
  timestamp(): string
  advance(ms: number): void
  /** Stops at this moment (default: now), for what has to happen within one second. */
  freeze(at?: string): void
  unfreeze(): void
}

export interface CreateRepositoryOptions {
  files?: Files
  private?: boolean
  /** Whether the App's installation on the owner covers it; default true. */
  installed?: boolean
}

export interface CommitOptions {
  /** The commit to build upon; the branch is moved by force where it is not its tip. Default: the tip. */
  onto?: string
  message?: string
  /** Who pushes; default: the repository's owner, or the pull request's author. */
  by?: string
}

export interface Repository {
  fullName: string
  /** Its clone URL. */
  url: string
  /** The bare repository. */
  directory: string
  /** The commit a branch is at. */
  head(branch: string): string
  /** Commits on top of a branch, made from the default branch if new, and pushes it. @returns the commit id */
  commit(branch: string, files: Files, options?: CommitOptions): string
  /** Pushes a commit that is there already. */
  push(branch: string, commit: string, options?: { by?: string }): void
  /** git, in the bare repository. */
  git(...args: string[]): string
  /** A repository of the same name at another owner, to which the App has no access. */
  fork(owner: string): Repository
  openPullRequest(options: OpenPullRequestOptions): PullRequest
  pullRequest(number: number): PullRequest
  /** Makes an account a collaborator; 'none' takes that away. The owner is 'admin'. */
  setPermission(login: string, level: Level): void
  /** Check runs of a commit, newest first, in the REST API's form and with their `annotations`. */
  checkRuns(sha: string): Answer[]
}

export interface OpenPullRequestOptions {
  /** A branch of `from`. */
  head: string
  /** Default: this repository. */
  from?: Repository
  base?: string
  title?: string
  body?: string | null
  draft?: boolean
  /** Default: the owner of `from`. */
  author?: string
}

/** An object as the REST API shows it to somebody who may see all. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into it as they would into parsed JSON
export type Answer = any

export interface PullRequest {
  repository: Repository
  number: number
  /** Its head now. */
  head(): string
  /** Commits to its head branch, and pushes. `onto` makes it a force-push. @returns the new head */
  push(files: Files, options?: CommitOptions): string
  /** Force-pushes a commit that is there already. */
  resetTo(commit: string, by?: string): void
  close(by?: string): void
  reopen(by?: string): void
  /** A merge commit on the base branch. @returns it */
  merge(by?: string): string
  convertToDraft(by?: string): void
  markReady(by?: string): void
  edit(change: { title?: string; body?: string | null; base?: string }, by?: string): void
  /** Comments in the conversation. @returns the comment */
  comment(by: string, body: string): Answer
  /** Comments on a line, in a review of its own. @returns the review comment */
  commentOn(by: string, place: { path: string; line: number; side?: 'LEFT' | 'RIGHT' }, body: string): Answer
  /** Answers in the thread that a review comment began. @returns the reply */
  reply(by: string, commentId: number, body: string): Answer
  /** Resolves or reopens the thread that a review comment began. */
  resolveThread(commentId: number, by: string): void
  unresolveThread(commentId: number, by: string): void

  /** As the REST API shows it. */
  show(): Answer
  /** All reviews, pending ones too, oldest first. */
  reviews(): Answer[]
  /** The review comments that are posted, oldest first. */
  reviewComments(): Answer[]
  /** The comments of the conversation, oldest first. */
  comments(): Answer[]
  threads(): {
    id: string
    path: string
    line: number | null
    isResolved: boolean
    isOutdated: boolean
    comments: Answer[]
  }[]
}

export interface Webhooks {
  /** Sends the App's events here from now on (undefined: nowhere, which is recorded as a failed delivery). */
  deliverTo(url: string | undefined): void
  /** Keeps what is to be delivered, until it is released. */
  hold(): void
  /** What is held, oldest first: its GUID, event and action. */
  held(): Delivery[]
  /** Sends what is held, in this order (GUIDs; default: as it happened). `resume` also ends the holding. */
  release(guids?: string[]): Promise<void>
  resume(): Promise<void>
  /** Loses what is held: it is on the log as delivered in vain. */
  drop(guids?: string[]): void
  /** Sends a delivery again, with its GUID. */
  redeliver(guid: string): Promise<void>
  ping(): Promise<void>
  /** Every attempt, oldest first. */
  deliveries: Delivery[]
  /** When nothing is on its way any more (what is held is not). */
  settled(): Promise<void>
}

export interface Limits {
  /** What is left of everybody's primary limit, and when it is full again (seconds from now; default 3600). */
  setPrimary(remaining: number, resetInSeconds?: number): void
  /** Requests counted against the primary limit so far; answers 304 are free. */
  counted(): number
}

export interface FaultHandle {
  /** How often it has happened. */
  happened(): number
  /** When it happens the next time: a request is in its grip, held or answered. */
  next(): Promise<void>
  /** Lets go of the requests that it holds. */
  release(): void
}

export interface GitHubOptions {
  slug?: string
  permissions?: AppPermissions
  /** How many files of a pull request are listed at most; default 3,000, as with GitHub. */
  maxFiles?: number
}

/** Compiling its schemas takes longer than most tests do: once for all servers of a process. */
const compiled: { description?: Description } = {}

function githubApi(): Description {
  compiled.description ??= createDescription(readDescription())
  return compiled.description
}

/** Starts a GitHub of its own for a test. It needs `githubDescription` to have succeeded. */
export async function startGitHub(t: TestContext, options: GitHubOptions = {}): Promise<GitHub> {
  const root = realpathSync(mkdtempSync(path.join(tmpdir(), 'kodus-github-')))
  const clock = createClock()
  const description = githubApi()
  const limits = createLimits(clock)
  const faults = createFaults()
  const requests: RecordedRequest[] = []
  const violations: Violation[] = []
  const traffic = { fetches: 0, bytesSent: 0 }
  const app = createApp(clock.timestamp(), options)
  const outbox = createOutbox(() => world)
  const { maxFiles = 3_000 } = options
  const world: World = { state: createState(), clock, description, app, outbox, origin: '', maxFiles }
  const front = { world, limits, faults, requests, violations, traffic }

  t.after(() => faults.recover())
  world.origin = await serveSmartHttp(t, {
    root,
    intercept: (request, response) => answer(front, request, response),
  })
  t.after(async () => {
    await outbox.settled()
    rmSync(root, { recursive: true, force: true })
    assert.deepEqual(violations, [], "requests or answers did not agree with GitHub's description")
  })

  const installationOf = (owner: string) => {
    const found = world.state.installations.find(({ account }) => account.login === owner)
    if (!found) throw new Error(`the App is not installed on ${owner}`)
    return found
  }

  return {
    apiUrl: `${world.origin}/api/v3`,
    origin: world.origin,
    app,
    clock,
    createToken(login) {
      const token = `ghp_${randomBytes(18).toString('hex')}`
      world.state.tokens.set(token, { kind: 'personal', token, account: world.state.account(login) })
      return token
    },
    createInstallationToken: (owner) => createInstallationToken(world, installationOf(owner)).token,
    uninstallApp(owner) {
      const gone = installationOf(owner)
      world.state.installations = world.state.installations.filter((each) => each !== gone)
      for (const repository of world.state.repositories.values()) {
        if (repository.owner.id === gone.account.id) repository.installed = false
      }
    },
    createManifestCode(manifest) {
      const code = randomBytes(20).toString('hex')
      app.manifests.set(code, manifest)
      return code
    },
    createRepository: (fullName, more = {}) => createRepository(world, root, fullName, more),
    repository(fullName) {
      const [owner = '', name = ''] = fullName.split('/')
      const record = world.state.findRepository(owner, name)
      if (!record) throw new Error(`there is no repository ${fullName}`)
      return driveRepository(world, root, record)
    },
    requests,
    violations,
    takeViolations: () => violations.splice(0),
    webhooks: outbox,
    limits,
    fail: faults.fail,
    recover: faults.recover,
    git: traffic,
  }
}
