import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/** Beyond the closed home directory of root, where a server's account cannot follow. */
export const SYSTEM_DIRECTORY = '/var/lib/kodus-ai'

/**
 * A directory there that every account may enter, whatever the umask is, and that belongs to `place` alone; a
 * file in it says so, for whoever cleans up.
 */
export function systemDirectory(place: string): string {
  const name = createHash('sha256').update(place).digest('hex').slice(0, 16)
  const directory = path.join(SYSTEM_DIRECTORY, name)
  for (const level of [SYSTEM_DIRECTORY, directory]) {
    mkdirSync(level, { recursive: true })
    chmodSync(level, 0o755)
  }
  writeFileSync(path.join(directory, 'place'), `${place}\n`)
  return directory
}
