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

/**
 * The texts of some blobs, read by one process: one for each takes longer to start than to read.
 *
 * @returns those of them that are text; without a blob that is not there. Undefined when all of them together
 *   are larger than `maxBytes`
 */
export async function readTexts(
  { git, gitDir }: Scratch,
  ids: readonly string[],
  maxBytes: number,
  signal: AbortSignal,
): Promise<Map<string, string> | undefined> {
  const input = ids.map((id) => `${id}\n`).join('')
  try {
    const args = ['cat-file', '--batch']
    const { stdout } = await git({ gitDir, args, input, outputBytes: maxBytes }, signal)
    return parseBatch(stdout)
  } catch (error) {
    if (error instanceof KodusError && error.code === 'GIT_TOO_LARGE') return undefined
    throw error
  }
}

/** `<id> blob <size>`, a line break, that many bytes, a line break; `<id> missing` where there is none. */
function parseBatch(output: Buffer): Map<string, string> {
  const texts = new Map<string, string>()
  for (let at = 0; at < output.length; ) {
    const end = output.indexOf('\n', at)
    if (end < 0) break
    const [id = '', type, size] = output.subarray(at, end).toString('latin1').split(' ')
    at = end + 1
    if (size === undefined) continue
    const content = output.subarray(at, at + Number(size))
    if (type === 'blob' && !content.includes(0)) texts.set(id, content.toString('utf8'))
    at += Number(size) + 1
  }
  return texts
}
