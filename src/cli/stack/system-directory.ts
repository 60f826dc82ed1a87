import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/** Beyond the closed home directory of root, where a server's account cannot follow. */
export const SYSTEM_DIRECTORY = '/var/lib/kodus-ai'

/** The directory there that belongs to `place`, whether it was made or not. */
export function systemPath(place: string): string {
  return path.join(SYSTEM_DIRECTORY, createHash('sha256').update(place).digest('hex').slice(0, 16))
}

/**
 * Makes that directory, which every account may enter, whatever the umask is; a file in it says whose it is, for
 * whoever cleans up.
 */
export function systemDirectory(place: string): string {
  const directory = systemPath(place)
  for (const level of [SYSTEM_DIRECTORY, directory]) {
    mkdirSync(level, { recursive: true })
    chmodSync(level, 0o755)
  }
  writeFileSync(path.join(directory, 'place'), `${place}\n`)
  return directory
}
