import { existsSync, readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import type { Settings } from './settings-file.ts'

/**
 * What `kodus setup github` left in a file on this machine, as containers can be told it: the App's private key itself
 * instead of the name of a file that they do not see.
 */
export function readGitHubSettings(file: string): Settings {
  if (!existsSync(file)) return {}
  const { GITHUB_APP_PRIVATE_KEY_FILE: keyFile, ...settings } = parseEnv(readFileSync(file, 'utf8'))
  if (!keyFile) return settings
  return { ...settings, GITHUB_APP_PRIVATE_KEY: readFileSync(keyFile).toString('base64') }
}
