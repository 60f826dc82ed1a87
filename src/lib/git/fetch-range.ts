import { KodusError } from '../errors.ts'
import { type CommitRange, findMergeBase, noMergeBase, resolveCommit } from './commit-range.ts'
import type { RemoteAccess } from './environment.ts'
import { checkRef, isCommitId } from './ref.ts'
import type { Scratch } from './scratch.ts'

// Most pull requests are younger than 50 commits on either side; a whole history can be a thousand times
// larger than what one review reads. Undefined: all of it.
const DEPTHS = [50, 1000, undefined]

/**
 * Fetches base and head, and as much of their history as it takes to be certain of the merge base. Nothing
 * else is fetched: no tags, no submodules, no other branch.
 *
 * @throws KodusError GIT_REF_REFUSED, GIT_REF_NOT_FOUND, GIT_NO_MERGE_BASE, or why the remote was not read
 */
export async function fetchRange(
  scratch: Scratch,
  access: RemoteAccess,
  names: { base: string; head: string },
  signal: AbortSignal,
): Promise<CommitRange> {
  const wanted = { base: checkRef(names.base), head: checkRef(names.head) }
  await scratch.init(isCommitId(wanted.head) ? wanted.head : wanted.base, signal)

  for (const depth of DEPTHS) {
    await fetchOnce(scratch, access, wanted, depth, signal)
    // Deepening must not follow a branch that moves meanwhile.
    wanted.base = await resolveCommit(scratch.git, scratch.gitDir, 'refs/kodus/base', signal)
    wanted.head = await resolveCommit(scratch.git, scratch.gitDir, 'refs/kodus/head', signal)
    const { mergeBase, certain } = await findMergeBase(scratch, wanted, signal)
    if (!certain) continue
    if (mergeBase === undefined) break
    return { ...wanted, mergeBase }
  }
  throw noMergeBase(wanted.base, wanted.head)
}

async function fetchOnce(
  { git, gitDir }: Scratch,
  access: RemoteAccess,
  { base, head }: { base: string; head: string },
  depth: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  const args = [
    'fetch',
    '--quiet',
    '--no-tags',
    '--no-write-fetch-head',
    '--no-recurse-submodules',
    '--no-auto-maintenance',
    depth === undefined ? '--unshallow' : `--depth=${depth}`,
    '--end-of-options',
    access.remote.url,
    `+${base}:refs/kodus/base`,
    `+${head}:refs/kodus/head`,
  ]
  try {
    await git({ gitDir, args, access }, signal)
  } catch (error) {
    if (error instanceof KodusError && error.code === 'GIT_REF_NOT_FOUND') {
      throw new KodusError(error.code, `${error.message} Asked for ${base} and ${head}.`, error)
    }
    throw error
  }
}
