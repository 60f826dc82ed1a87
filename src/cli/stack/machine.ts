import { randomBytes, randomUUID } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'

/**
 * What belongs to this machine's installation alone: made here at random on first use, kept in
 * `.kodus/env` (mode 0600), and never written anywhere else. `npm run component` and `npm run kodus` read
 * that file, so that they find the running stack.
 */
export interface MachineSettings {
  KODUS_INSTANCE_ID: string
  GIT_WEBHOOK_SECRET: string
  KODUS_API_KEY?: string
  DATABASE_URL?: string
  WEBHOOK_PORT?: string
  API_PORT?: string
}

export function openMachine(directory: string): {
  settings: MachineSettings
  save(settings: MachineSettings): void
} {
  mkdirSync(directory, { recursive: true })
  // Searchable, not readable: run by root, the embedded server is another account and must pass through.
  chmodSync(directory, 0o711)
  const file = join(directory, 'env')
  const found = existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {}
  const settings: MachineSettings = {
    ...found,
    KODUS_INSTANCE_ID: found.KODUS_INSTANCE_ID ?? randomUUID(),
    GIT_WEBHOOK_SECRET: found.GIT_WEBHOOK_SECRET ?? randomBytes(32).toString('hex'),
  }
  return { settings, save: (changed) => writeSettings(file, changed) }
}

function writeSettings(file: string, settings: MachineSettings): void {
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`)
  // Written beside and renamed, so that a crash leaves the old file or the new one.
  writeFileSync(`${file}.new`, `${lines.join('\n')}\n`, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}
