import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  lchownSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { KodusError, messageOf } from '../../lib/errors.ts'
import { type PostgresHome, USER } from './postgres-home.ts'

/**
 * Creates the data directory with a random password. It appears under its name only when it is complete.
 * UTF-8, sorted by code point, whatever the machine's locale: the same order and case rules everywhere.
 */
export async function initialiseData({ account, binaries, data, directory, passwordFile }: PostgresHome) {
  rmSync(passwordFile, { force: true })
  writeFileSync(passwordFile, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 })
  chmodSync(passwordFile, 0o600)
  if (account) lchownSync(passwordFile, account.uid, account.gid)

  const partial = `${data}.new`
  rmSync(partial, { recursive: true, force: true })
  const locale = ['--encoding=UTF8', '--no-locale', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
  try {
    await promisify(execFile)(
      binaries.initdb,
      ['-D', partial, `--username=${USER}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256', ...locale],
      { ...account, cwd: directory, env: { LC_ALL: 'C' }, windowsHide: true },
    )
  } catch (cause) {
    throw new KodusError('EMBEDDED_POSTGRES_FAILED', `initdb failed: ${messageOf(cause).trim()}`, {
      help: 'The lines above are initdb’s own. Setting DATABASE_URL uses another server.',
      cause,
    })
  }
  renameSync(partial, data)
}

/** @throws KodusError when a server of this build cannot run on an existing data directory */
export function checkData({ binaries, data, passwordFile }: PostgresHome): void {
  const versionFile = path.join(data, 'PG_VERSION')
  const uid = process.getuid?.()
  const owner = statSync(data).uid
  if (uid !== undefined && uid !== 0 && uid !== owner) {
    throw new KodusError(
      'EMBEDDED_POSTGRES_NOT_OWNER',
      `${data} belongs to the account with uid ${owner}; this is uid ${uid}.`,
      { help: 'Start as the account that created it, or use another directory.' },
    )
  }
  if (!existsSync(versionFile) || !existsSync(passwordFile)) {
    throw new KodusError(
      'EMBEDDED_POSTGRES_INCOMPLETE',
      `${existsSync(versionFile) ? passwordFile : versionFile} is missing.`,
      { help: `Restore it from a backup; or move ${data} away, and an empty database is created.` },
    )
  }
  const major = readFileSync(versionFile, 'utf8').trim()
  if (major !== binaries.major) {
    throw new KodusError(
      'EMBEDDED_POSTGRES_VERSION',
      `${data} was made by PostgreSQL ${major}; the embedded server is PostgreSQL ${binaries.major}.`,
      {
        help: `Copy what you need with pg_dump from a PostgreSQL ${major}, or move the directory away, and an empty database is created.`,
      },
    )
  }
}
