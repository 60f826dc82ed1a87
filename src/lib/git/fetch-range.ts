import { KodusError } from '../errors.ts'
import { type CommitRange, findMergeBase, noMergeBase, readShallow, resolveCommit } from './commit-range.ts'
import type { RemoteAccess } from './environment.ts'
import { fetchFrom } from './fetch.ts'
import { checkRef } from './ref.ts'
import type { Repository } from './scratch.ts'

/**
 * How much history is fetched, one after another until the merge base is certain. Most pull requests are
 * younger than 50 commits on either side; a whole history can be a thousand times larger than what one
 * review reads.
 */
export const DEPTHS = [50, 1000, 'all'] as const

export interface FetchedRange extends CommitRange {
  /** The depth, as its place in `DEPTHS`, that made the merge base certain. */
  rung: number
}

/**
 * Fetches base and head, and as much of their history as it takes to be certain of the merge base. Nothing
 * else is fetched: no tags, no submodules, no other branch.
 *
 * @param target initialised for the remote's object format
 * @throws KodusError GIT_REF_REFUSED, GIT_REF_NOT_FOUND, GIT_NO_MERGE_BASE, or why the remote was not read
 */
export async function fetchRange(
  target: Repository,
  access: RemoteAccess,
  names: { base: string; head: string },
  signal: AbortSignal,
  { blobless = false, firstRung = 0 } = {},
): Promise<FetchedRange> {
  const wanted = { base: checkRef(names.base), head: checkRef(names.head) }
  for (let rung = firstRung; rung < DEPTHS.length; rung++) {
    const isShallow = (await readShallow(target)) !== ''
    const refspecs = [`+${wanted.base}:refs/kodus/base`, `+${wanted.head}:refs/kodus/head`]
    try {
      await fetchFrom(target, access, refspecs, { depth: DEPTHS[rung], blobless, isShallow }, signal)
    } catch (error) {
      throw naming(wanted, error)
    }
    // Deepening must not follow a branch that moves meanwhile.
    wanted.base = await resolveCommit(target.git, target.gitDir, 'refs/kodus/base', signal)
    wanted.head = await resolveCommit(target.git, target.gitDir, 'refs/kodus/head', signal)
    const { mergeBase, certain } = await findMergeBase(target, wanted, signal)
    if (!certain) continue
    if (mergeBase === undefined) break
    return { ...wanted, mergeBase, rung }
  }
  throw noMergeBase(wanted.base, wanted.head)
}

function naming({ base, head }: { base: string; head: string }, error: unknown): unknown {
  if (!(error instanceof KodusError) || error.code !== 'GIT_REF_NOT_FOUND') return error
  return new KodusError(error.code, `${error.message} Asked for ${base} and ${head}.`, error)
}
