import { borrowRange } from '../../lib/git/borrow-range.ts'
import { readGitSettings } from '../../lib/git/config.ts'
import type { RemoteAccess } from '../../lib/git/environment.ts'
import { fetchFrom } from '../../lib/git/fetch.ts'
import { fetchRange } from '../../lib/git/fetch-range.ts'
import { findRepository, findRepositoryBelow } from '../../lib/git/local-repository.ts'
import { measured } from '../../lib/git/pack-files.ts'
import { checkRef, checkRevision, isCommitId } from '../../lib/git/ref.ts'
import { checkProtocols, locateRepository } from '../../lib/git/remote.ts'
import { checkHosts, checkRemoteHost } from '../../lib/git/remote-host.ts'
import { objectFormat, type Scratch } from '../../lib/git/scratch.ts'
import type { GitCredential, GitLimits, GitSettings } from '../../lib/git/settings.ts'
import type { ChangeReader } from '../forge.ts'
import { openRange, type RangeSource, withTextLimit } from '../read-range.ts'

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
  const settings = withTextLimit(options.settings ?? readGitSettings(), options.limits)
  return {
    async open(request, signal) {
      const names = { base: checkRef(request.base), head: checkRef(request.head) }
      const location = locateRepository(request.repository, protocols)
      if (location.at === 'path') {
        const repository = await findRepositoryBelow(location.path, options.roots)
        return await openRange(settings, request, signal, async (scratch) => ({
          range: await borrowRange(scratch, repository, names, signal),
          fetchedBytes: 0,
        }))
      }
      const { remote } = location
      const addresses = await checkRemoteHost(remote, { allowedHosts, proxies: settings.proxies }, signal)
      const credential = options.credentials?.find(({ origin }) => origin === remote.origin)
      return await openRange(settings, request, signal, (scratch) =>
        fetchInto(scratch, { remote, credential, addresses }, names, signal),
      )
    },
  }
}

/** Plain git is read seldom, and by anybody's name for it: nothing is kept between two reviews. */
async function fetchInto(
  scratch: Scratch,
  access: RemoteAccess,
  names: { base: string; head: string },
  signal: AbortSignal,
): Promise<RangeSource> {
  const { gitDir } = scratch
  await scratch.init(objectFormat(isCommitId(names.head) ? names.head : names.base), signal)
  const { result, bytes } = await measured(gitDir, () => fetchRange(scratch, access, names, signal))
  const { rung: _, ...range } = result
  return {
    range,
    fetchedBytes: bytes,
    async fetchCommit(id) {
      const refspecs = [`+${id}:refs/kodus/earlier`]
      const fetched = await measured(gitDir, () => fetchFrom(scratch, access, refspecs, { depth: 1 }, signal))
      return fetched.bytes
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
      return await openRange(withTextLimit(settings), request, signal, async (scratch) => ({
        range: await borrowRange(scratch, repository, names, signal),
        fetchedBytes: 0,
      }))
    },
  }
}
