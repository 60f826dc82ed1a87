import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DEPTHS } from './fetch-range.ts'
import type { ObjectFormat } from './scratch.ts'

/** What is known of a mirror besides its objects. Its file is written after each fetch that went well. */
export interface MirrorState {
  url: string
  format: ObjectFormat
  /** False for a remote that does not hand out single blobs: then the whole of each commit is fetched. */
  blobless: boolean
  /** The place in `DEPTHS` at which the next fetch begins: history once had is not cut off again. */
  rung: number
}

const STATE_FILE = 'mirror.json'

/** Replaces the file at once: a process killed meanwhile leaves the old one or the new one. */
export async function saveState(directory: string, state: MirrorState): Promise<void> {
  const file = join(directory, STATE_FILE)
  await writeFile(`${file}.new`, JSON.stringify(state))
  await rename(`${file}.new`, file)
}

/**
 * The state of the mirror in a directory, and when it was last fetched into, in milliseconds since the epoch.
 *
 * @returns undefined where none was ever filled, or it was disowned
 */
export async function readState(
  directory: string,
): Promise<{ state: MirrorState; usedAt: number } | undefined> {
  const file = join(directory, STATE_FILE)
  try {
    const { url, format, blobless, rung } = JSON.parse(await readFile(file, 'utf8'))
    const isKnown =
      typeof url === 'string' &&
      (format === 'sha1' || format === 'sha256') &&
      typeof blobless === 'boolean' &&
      DEPTHS[rung] !== undefined
    if (!isKnown) return undefined
    return { state: { url, format, blobless, rung }, usedAt: (await stat(file)).mtimeMs }
  } catch {
    return undefined
  }
}

export async function forgetState(directory: string): Promise<void> {
  await rm(join(directory, STATE_FILE), { force: true })
}
