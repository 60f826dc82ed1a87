import { randomBytes, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'

/** What belongs to this machine's installation alone, made here at random on first use. */
export interface MachineSecrets {
  KODUS_INSTANCE_ID: string
  GIT_WEBHOOK_SECRET: string
  KODUS_API_KEY?: string
}

export interface Machine {
  secrets: MachineSecrets
  /**
   * Writes `.kodus/env` (mode 0600): the secrets and, while a stack runs, the settings it runs with, so that
   * `npm run component` and `npm run kodus` join it. Nothing of it is written anywhere else.
   */
  save(secrets: MachineSecrets, running?: Record<string, string | undefined>): void
}

export function openMachine(directory: string): Machine {
  // Searchable, not readable: run by root, the embedded server is another account and must pass through.
  if (!existsSync(directory)) mkdirSync(directory, { recursive: true, mode: 0o711 })
  const file = join(directory, 'env')
  const found = existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {}
  return {
    secrets: {
      KODUS_INSTANCE_ID: found.KODUS_INSTANCE_ID ?? randomUUID(),
      GIT_WEBHOOK_SECRET: found.GIT_WEBHOOK_SECRET ?? randomBytes(32).toString('hex'),
      ...(found.KODUS_API_KEY ? { KODUS_API_KEY: found.KODUS_API_KEY } : {}),
    },
    save: (secrets, running = {}) => writeSettings(file, { ...secrets, ...running }),
  }
}

function writeSettings(file: string, settings: Record<string, string | undefined>): void {
  // Quoted, since people source this file in a shell. A value that holds a quote cannot be kept.
  const lines = Object.entries(settings)
    .filter(([, value]) => value && !value.includes("'"))
    .map(([name, value]) => `${name}='${value}'`)
  // Written beside and renamed, so that a crash leaves the old file or the new one.
  writeFileSync(`${file}.new`, `${lines.join('\n')}\n`, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}
