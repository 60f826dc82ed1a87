import type { ReviewRequest } from '../../jobs/review-request.ts'
import { borrowRange } from '../../lib/git/borrow-range.ts'
import type { CommitRange } from '../../lib/git/commit-range.ts'
import { readGitSettings } from '../../lib/git/config.ts'
import { fetchRange } from '../../lib/git/fetch-range.ts'
import { type ListedFile, listChanges } from '../../lib/git/list-changes.ts'
import { findRepository, findRepositoryBelow } from '../../lib/git/local-repository.ts'
import { checkRef, checkRevision } from '../../lib/git/ref.ts'
import { checkProtocols, locateRepository } from '../../lib/git/remote.ts'
import { checkHosts, checkRemoteHost } from '../../lib/git/remote-host.ts'
import { createScratch, type Scratch } from '../../lib/git/scratch.ts'
import type { GitCredential, GitLimits, GitSettings } from '../../lib/git/settings.ts'
import { findBlob, readText } from '../../lib/git/show-file.ts'
import { type ChangeReader, MAX_FILE_BYTES, type OpenChange } from '../forge.ts'

export interface GitReaderOptions {
  /** Directories below which a repository may be named by path. None: no paths. */
  roots: readonly string[]
  /** Besides https: `http`, `ssh`, `git`. */
  allowedProtocols: readonly string[]
  /**
   * The only hosts that are read. Absent or empty: any but this machine, its network link, and names that
   * lead there.
   */
  allowedHosts?: readonly string[]
  credentials?: readonly GitCredential[]
  limits?: Partial<GitLimits>
  /** How git is found and reaches the network; read from the environment if absent. */
  settings?: GitSettings
}

/**
 * Reads changes of plain git repositories, named by URL or by path. Nothing in them, and nobody who names
 * them, is trusted: no checkout is made and no program of theirs runs.
 *
 * @throws KodusError CONFIG_INVALID for a protocol or host that can never be allowed
 */
export function createGitReader(options: GitReaderOptions): ChangeReader {
  const protocols = checkProtocols(options.allowedProtocols)
  const allowedHosts = checkHosts(options.allowedHosts ?? [])
  const settings = withLimits(options.settings ?? readGitSettings(), options.limits)
  return {
    async open(request, signal) {
      const names = { base: checkRef(request.base), head: checkRef(request.head) }
      const location = locateRepository(request.repository, protocols)
      if (location.at === 'path') {
        const repository = await findRepositoryBelow(location.path, options.roots)
        return await openRange(settings, request, signal, (scratch) =>
          borrowRange(scratch, repository, names, signal),
        )
      }
      const { remote } = location
      const addresses = await checkRemoteHost(remote, { allowedHosts, proxies: settings.proxies }, signal)
      const credential = options.credentials?.find(({ origin }) => origin === remote.origin)
      return await openRange(settings, request, signal, (scratch) =>
        fetchRange(scratch, { remote, credential, addresses }, names, signal),
      )
    },
  }
}

/**
 * Reads changes of the repository a person stands in. Base and head are what that person typed: branches,
 * tags, ids, `HEAD~3`.
 */
export function createLocalReader(path: string, settings: GitSettings = readGitSettings()): ChangeReader {
  return {
    async open(request, signal) {
      const names = { base: checkRevision(request.base), head: checkRevision(request.head) }
      const repository = await findRepository(path)
      return await openRange(withLimits(settings), request, signal, (scratch) =>
        borrowRange(scratch, repository, names, signal),
      )
    },
  }
}

/** What counts as text in a diff is what `readFile` is willing to read. */
function withLimits(settings: GitSettings, limits: Partial<GitLimits> = {}): GitSettings {
  return { ...settings, limits: { ...settings.limits, ...limits, textBytes: MAX_FILE_BYTES } }
}

async function openRange(
  settings: GitSettings,
  request: ReviewRequest,
  signal: AbortSignal,
  findRange: (scratch: Scratch) => Promise<CommitRange>,
): Promise<OpenChange> {
  const scratch = await createScratch(settings, signal)
  try {
    const range = await findRange(scratch)
    const files = await listChanges(scratch, range, signal)
    return openChange(scratch, request, range, files, signal)
  } catch (error) {
    await scratch.remove()
    throw error
  }
}

function openChange(
  scratch: Scratch,
  { repository, title, description }: ReviewRequest,
  range: CommitRange,
  files: readonly ListedFile[],
  signal: AbortSignal,
): OpenChange {
  // The ids are known already, and a path that is not UTF-8 could not be looked up by its text.
  const atHead = new Map(files.filter(({ kind }) => kind === 'text').map(({ path, id }) => [path, id]))
  return {
    change: { repository, ...range, title, description, files: files.map(({ id: _, ...file }) => file) },
    async readFile(side, path) {
      const known = side === 'head' ? atHead.get(path) : undefined
      const id = known ?? (await findBlob(scratch, range[side], path, signal))
      return id === undefined ? undefined : await readText(scratch, id, MAX_FILE_BYTES, signal)
    },
    close: () => scratch.remove(),
  }
}
