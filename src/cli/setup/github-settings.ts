import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { parseEnv } from 'node:util'
import type { Environment } from '../../lib/env.ts'
import { KodusError } from '../../lib/errors.ts'

/** Where `kodus setup github` keeps what it was told. */
const SETTINGS_FILE = 'github.env'

export type GitHubSettings = Readonly<Record<string, string | undefined>>

/** Settings from an earlier setup; none where there was none. */
export function readGitHubSettings(directory: string): GitHubSettings {
  const file = join(directory, SETTINGS_FILE)
  return existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {}
}

/** What an installation works with: its environment and, where that says nothing, what setup left. */
export function withGitHubSettings(env: Environment, directory: string): Environment {
  return { ...readGitHubSettings(directory), ...env }
}

/** The file of an App's private key. Each App has its own, so that none is ever overwritten. */
export function privateKeyFile(directory: string, appId: number): string {
  return join(directory, `github-app-${appId}.pem`)
}

/**
 * Sees that settings can be kept, before anything is made that could be lost.
 *
 * @throws KodusError SETUP_UNWRITABLE
 */
export function checkCanSave(directory: string, settings: GitHubSettings): void {
  toText({ ...settings, directory })
  let existing = directory
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing)
  try {
    accessSync(existing, constants.W_OK)
  } catch (cause) {
    throw new KodusError('SETUP_UNWRITABLE', `${directory} cannot be written.`, {
      help: 'Make it writable for this account, or set KODUS_DIRECTORY to a place that is.',
      cause,
    })
  }
}

/**
 * Writes the settings, readable by this account alone, and keeps the ones before beside them. Undefined values
 * are left out.
 *
 * @returns the file, and that of the earlier settings, if there were any
 * @throws KodusError SETUP_UNWRITABLE for a value that a file of settings cannot hold
 */
export function saveGitHubSettings(
  directory: string,
  settings: GitHubSettings,
): { file: string; earlier: string | undefined } {
  const file = join(directory, SETTINGS_FILE)
  const text = toText(settings)
  let earlier: string | undefined
  if (existsSync(file) && readFileSync(file, 'utf8') !== text) {
    earlier = join(directory, `github-${new Date().toISOString().replaceAll(':', '')}.env`)
    renameSync(file, earlier)
  }
  writePrivate(file, text)
  return { file, earlier }
}

/** Writes a file that this account alone can read, and that no repository takes in. */
export function writePrivate(file: string, text: string): void {
  const directory = dirname(file)
  // Searchable, not readable: run by root, the embedded database is another account and must pass through.
  if (!existsSync(directory)) mkdirSync(directory, { recursive: true, mode: 0o711 })
  const ignore = join(directory, '.gitignore')
  if (!existsSync(ignore)) writeFileSync(ignore, '# Secrets of this machine.\n*\n')
  // Written beside and renamed, so that a crash leaves the old file or the new one. The mode counts for a new one only.
  rmSync(`${file}.new`, { force: true })
  writeFileSync(`${file}.new`, text, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

function toText(settings: GitHubSettings): string {
  const lines: string[] = []
  for (const [name, value] of Object.entries(settings)) {
    if (value === undefined) continue
    if (/['\r\n]/.test(value)) {
      throw new KodusError('SETUP_UNWRITABLE', `The value of ${name} has a quote or a line break in it.`, {
        help: 'A file of settings cannot hold it. Use another, or set KODUS_DIRECTORY to another place.',
      })
    }
    lines.push(`${name}='${value}'\n`)
  }
  return lines.join('')
}
