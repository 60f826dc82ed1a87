import { writeFileSync } from 'node:fs'

/** Settings as `docker run --env-file` reads them: in a file, and not among arguments that everybody may read. */
export function writeSettings(file: string, settings: Readonly<Record<string, string>>): string {
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`)
  writeFileSync(file, lines.join(''), { mode: 0o600 })
  return file
}
