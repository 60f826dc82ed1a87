import type { RemoteAccess } from './environment.ts'
import type { Repository } from './scratch.ts'

export interface FetchOptions {
  /**
   * Commits of history behind each tip. `all`: the whole history, also where the repository's was cut off.
   * Undefined: what the repository has and lacks of its history stays as it is.
   */
  depth?: number | 'all'
  /** Trees and commits without the contents of files. A server that cannot do that sends everything. */
  blobless?: boolean
  /** Asks for exactly the objects named: what we have is not told, so that nothing is left out for it. */
  exactly?: boolean
}

/**
 * One fetch: of what the refspecs name and nothing else, no tags, no submodules, no other branch. What is
 * asked for goes by standard input, however much it is.
 *
 * @param isShallow whether the repository's history is cut off: git refuses to complete one that is not
 * @throws KodusError GIT_REF_NOT_FOUND, GIT_TOO_LARGE, or why the remote was not read
 */
export async function fetchFrom(
  { git, gitDir }: Repository,
  access: RemoteAccess,
  refspecs: readonly string[],
  { depth, blobless, exactly, isShallow }: FetchOptions & { isShallow?: boolean },
  signal: AbortSignal,
): Promise<void> {
  const args = [
    'fetch',
    '--quiet',
    '--no-tags',
    '--no-write-fetch-head',
    '--no-recurse-submodules',
    '--no-auto-maintenance',
    ...(blobless ? ['--filter=blob:none'] : []),
    ...(typeof depth === 'number' ? [`--depth=${depth}`] : []),
    ...(depth === 'all' && isShallow ? ['--unshallow'] : []),
    '--stdin',
    '--end-of-options',
    access.remote.url,
  ]
  const config = exactly ? { 'fetch.negotiationAlgorithm': 'noop' } : undefined
  await git({ gitDir, args, config, access, input: `${refspecs.join('\n')}\n` }, signal)
}
