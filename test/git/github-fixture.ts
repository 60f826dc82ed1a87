import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import type { OpenChange } from '../../src/forges/forge.ts'
import { createGitHubReader, type GitHubReaderOptions } from '../../src/forges/github/read-change.ts'
import type { ReviewRequest } from '../../src/jobs/review-request.ts'
import { readGitSettings } from '../../src/lib/git/config.ts'
import { type MirrorCache, openMirrorCache } from '../../src/lib/git/mirror-cache.ts'
import type { GitLimits, GitSettings } from '../../src/lib/git/settings.ts'
import { silentLog } from '../../src/lib/log.ts'
import { createRepository, plainGit, requestFor, type TestRepository, temporaryDirectory } from './fixture.ts'
import { type SmartHttpOptions, serveSmartHttp } from './smart-http-server.ts'

export const TOKEN = 'kodus-test-token-77aa01'

export interface ServedRepository {
  repository: TestRepository
  origin: string
  /** Bytes that the server has sent so far, of all it says. */
  sent(): number
  /** Paths that were asked for. */
  asked: string[]
}

/** `octo/shop`, served as GitHub does: to whoever has the token, with filters, and by any id. */
export async function serveShop(
  t: TestContext,
  {
    format = 'sha1',
    filters = true,
    existing,
    ...options
  }: Partial<SmartHttpOptions> & {
    format?: string
    filters?: boolean
    /** The repository, at …/octo/shop.git, instead of a new one. */
    existing?: string
  } = {},
): Promise<ServedRepository> {
  const root = existing === undefined ? temporaryDirectory(t) : join(existing, '..', '..')
  const path = join(root, 'octo', 'shop.git')
  mkdirSync(dirname(path), { recursive: true })
  const init = ['init', '--quiet', '--bare', '--initial-branch=main', `--object-format=${format}`, path]
  if (existing === undefined) plainGit(root, init)
  const repository = createRepository(path, { bare: true })
  if (filters) {
    repository.git('config', 'uploadpack.allowFilter', 'true')
    repository.git('config', 'uploadpack.allowAnySHA1InWant', 'true')
  }
  let bytes = 0
  const asked: string[] = []
  const origin = await serveSmartHttp(t, {
    root,
    basicAuth: `x-access-token:${TOKEN}`,
    onSent: (count) => {
      bytes += count
    },
    ...options,
    intercept: (request, response) => {
      asked.push(request.url ?? '')
      return options.intercept?.(request, response) ?? false
    },
  })
  return { repository, origin, asked, sent: () => bytes }
}

export interface GitHubTestReader {
  open(request: Partial<ReviewRequest>, signal?: AbortSignal): Promise<OpenChange>
  mirrors: MirrorCache
  /** Below which the mirrors are. */
  directory: string
  scratchRoot: string
  /** The directories of all mirrors. */
  found(): string[]
}

/** A reader of what is served, whose scratch directories must all be gone when the test ends. */
export async function githubReader(
  t: TestContext,
  origin: string,
  {
    directory = temporaryDirectory(t),
    maxBytes = 1024 ** 3,
    limits = {},
    ...options
  }: Partial<GitHubReaderOptions> & {
    directory?: string
    maxBytes?: number
    limits?: Partial<GitLimits>
  } = {},
): Promise<GitHubTestReader> {
  const scratchRoot = realpathSync(mkdtempSync(join(tmpdir(), 'kodus-test-')))
  const base = readGitSettings()
  const settings: GitSettings = { ...base, scratchRoot, limits: { ...base.limits, ...limits } }
  const mirrors =
    options.mirrors ?? (await openMirrorCache({ directory, maxBytes, settings, log: silentLog }))
  const reader = createGitHubReader({
    client: { gitToken: async () => TOKEN },
    config: { gitOrigin: origin, repositories: [], caFile: undefined },
    settings,
    ...options,
    mirrors,
  })
  const opened: OpenChange[] = []
  t.after(async () => {
    await Promise.all(opened.map((change) => change.close()))
    await mirrors.close()
    const leftBehind = readdirSync(scratchRoot)
    rmSync(scratchRoot, { recursive: true, force: true })
    assert.deepEqual(leftBehind, [], 'a scratch directory was left behind')
  })
  return {
    mirrors,
    directory,
    scratchRoot,
    async open(request, signal = new AbortController().signal) {
      const change = await reader.open(
        { ...requestFor('octo/shop', '', ''), pullRequest: '1', ...request },
        signal,
      )
      opened.push(change)
      return change
    },
    found: () =>
      readdirSync(directory).flatMap((slot) =>
        readdirSync(join(directory, slot), { withFileTypes: true })
          .filter((entry) => entry.isDirectory())
          .map(({ name }) => join(directory, slot, name)),
      ),
  }
}
