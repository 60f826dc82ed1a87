import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { KodusError } from '../errors.ts'
import { gitUnexpected } from './git-error.ts'
import { isCommitId } from './ref.ts'
import type { Git } from './run-git.ts'
import type { Repository } from './scratch.ts'

/** Three commit ids, all present in the scratch repository. */
export interface CommitRange {
  base: string
  head: string
  /** Where head left base. */
  mergeBase: string
}

/**
 * The commit that a checked name means in the repository at `gitDir`.
 *
 * @throws KodusError GIT_REF_NOT_FOUND
 */
export async function resolveCommit(
  git: Git,
  gitDir: string,
  name: string,
  signal: AbortSignal,
): Promise<string> {
  const { stdout, exitCode } = await git(
    {
      gitDir,
      args: ['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`],
      answers: [1],
    },
    signal,
  )
  const id = stdout.toString().trim()
  if (exitCode === 0 && isCommitId(id)) return id
  throw new KodusError('GIT_REF_NOT_FOUND', `The repository has no commit ${JSON.stringify(name)}.`, {
    help: 'Check base and head; a branch of a remote is named origin/<branch> in a clone.',
  })
}

/**
 * The merge base, and whether it is certain: in a history that was cut off, a better one may lie beyond the
 * cut. It is certain when it is the only one and every cut-off commit is reachable from both sides, so that
 * whatever lies beyond is an ancestor of it.
 */
export async function findMergeBase(
  { git, gitDir }: Repository,
  { base, head }: { base: string; head: string },
  signal: AbortSignal,
): Promise<{ mergeBase: string | undefined; certain: boolean }> {
  const found = await git({ gitDir, args: ['merge-base', '--all', base, head], answers: [1] }, signal)
  const candidates = found.stdout.toString().split('\n').filter(Boolean)
  const mergeBase = candidates[0]
  if (mergeBase !== undefined && !isCommitId(mergeBase))
    throw gitUnexpected('a merge base that is no commit id')

  const shallow = await readShallow({ gitDir })
  if (shallow === '') return { mergeBase, certain: true }
  if (candidates.length !== 1) return { mergeBase, certain: false }
  const oneSided = await git({ gitDir, args: ['rev-list', `${base}...${head}`] }, signal)
  const cut = new Set(shallow.split('\n').filter(Boolean))
  const certain = !oneSided.stdout
    .toString()
    .split('\n')
    .some((id) => cut.has(id))
  return { mergeBase, certain }
}

/** The commits at which a repository's history is cut off, one a line; empty when it is whole. */
export async function readShallow({ gitDir }: Pick<Repository, 'gitDir'>): Promise<string> {
  return await readFile(join(gitDir, 'shallow'), 'utf8').catch(() => '')
}

export function noMergeBase(base: string, head: string): KodusError {
  return new KodusError('GIT_NO_MERGE_BASE', `${head} and ${base} have no common history.`, {
    help: 'Compare branches that grew from one another. A shallow clone may lack the history: git fetch --unshallow.',
  })
}
