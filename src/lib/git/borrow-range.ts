import { type CommitRange, findMergeBase, noMergeBase, resolveCommit } from './commit-range.ts'
import type { LocalRepository } from './local-repository.ts'
import { objectFormat, type Scratch } from './scratch.ts'

/**
 * Opens a repository of this machine in place: nothing is copied, and beyond looking up two names git never
 * works with the repository's own configuration, hooks or attributes.
 *
 * @param names checked: as `checkRef` or `checkRevision` returned them
 * @throws KodusError GIT_REF_NOT_FOUND, GIT_NO_MERGE_BASE
 */
export async function borrowRange(
  scratch: Scratch,
  repository: LocalRepository,
  names: { base: string; head: string },
  signal: AbortSignal,
): Promise<CommitRange> {
  const base = await resolveCommit(scratch.git, repository.gitDir, names.base, signal)
  const head = await resolveCommit(scratch.git, repository.gitDir, names.head, signal)
  await scratch.init(objectFormat(head), signal)
  await scratch.borrow(repository.objects, repository.shallow)
  const { mergeBase } = await findMergeBase(scratch, { base, head }, signal)
  if (mergeBase === undefined) throw noMergeBase(base, head)
  return { base, head, mergeBase }
}
