import { KodusError } from '../errors.ts'
import { isPlainPath } from './parse-raw.ts'
import type { Scratch } from './scratch.ts'

/**
 * The id of the regular file at a path of a commit. Links are not followed and submodules not entered.
 *
 * @returns undefined where there is none
 */
export async function findBlob(
  { git, gitDir }: Scratch,
  commit: string,
  path: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (!isPlainPath(path) || path.includes('\0')) return undefined
  const { stdout } = await git({ gitDir, args: ['ls-tree', '-z', commit, '--', path] }, signal)
  return /^100[0-7]{3} blob ([0-9a-f]+)\t[^\0]*\0$/.exec(stdout.toString('utf8'))?.[1]
}

/**
 * A blob's text, as it is stored: no filter, no line ending conversion.
 *
 * @returns undefined when it is binary or larger than `maxBytes`
 */
export async function readText(
  { git, gitDir }: Scratch,
  id: string,
  maxBytes: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const { stdout } = await git({ gitDir, args: ['cat-file', 'blob', id], outputBytes: maxBytes }, signal)
    return stdout.includes(0) ? undefined : stdout.toString('utf8')
  } catch (error) {
    if (error instanceof KodusError && error.code === 'GIT_TOO_LARGE') return undefined
    throw error
  }
}
