import { randomBytes, randomUUID } from 'node:crypto'
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parseEnv } from 'node:util'

export type Settings = Readonly<Record<string, string | undefined>>

/** What each installation has of its own. There is no default for a secret. */
const GENERATED: Readonly<Record<string, () => string>> = {
  POSTGRES_PASSWORD: secret,
  RABBITMQ_PASSWORD: secret,
  GIT_WEBHOOK_SECRET: secret,
  KODUS_INSTANCE_ID: randomUUID,
}

const HEADER = `# This installation's own secrets, made by \`npm run compose -- up\`. Keep this file: the data of PostgreSQL and RabbitMQ
# are bound to their passwords. What else may be set here: the variables in compose.yaml, which the README describes.
`

/** Of an installation; empty where it has none yet. */
export function readSettings(file: string): Settings {
  return existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {}
}

/** The names of what an installation lacks. */
export function missingSettings(settings: Settings): string[] {
  return Object.keys(GENERATED).filter((name) => !settings[name])
}

/** Generates what is missing, readable by this account alone, and touches nothing that is there. */
export function generateSettings(file: string, missing: readonly string[]): void {
  if (!existsSync(file)) writeFileSync(file, HEADER, { mode: 0o600, flag: 'wx' })
  const lines = missing.map((name) => `${name}=${GENERATED[name]?.()}\n`)
  const startsOnItsOwnLine = /(^|\n)$/.test(readFileSync(file, 'utf8'))
  appendFileSync(file, `${startsOnItsOwnLine ? '' : '\n'}${lines.join('')}`)
}

/** 256 bits, of characters that a URL holds as they are. */
function secret(): string {
  return randomBytes(32).toString('hex')
}
