import type { Repository } from './scratch.ts'

/**
 * Those of the objects that a repository has neither itself nor by way of its alternates. Ask a scratch
 * repository: a git that does not know GIT_NO_LAZY_FETCH yet would try to fetch them in a partial one.
 */
export async function findMissing(
  { git, gitDir }: Repository,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<string[]> {
  if (ids.length === 0) return []
  const args = ['cat-file', '--batch-check=%(objectname)', '--buffer']
  const { stdout } = await git({ gitDir, args, input: `${ids.join('\n')}\n` }, signal)
  return stdout
    .toString()
    .split('\n')
    .flatMap((line) => (line.endsWith(' missing') ? [line.slice(0, -' missing'.length)] : []))
}
