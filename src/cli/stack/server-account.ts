import { spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { KodusError } from '../../lib/errors.ts'

/** The account a server runs under, in the shape `child_process` takes. */
export interface ServerAccount {
  uid: number
  gid: number
}

/** PostgreSQL's own account where the system has one, else the one that owns nothing. Neither is created. */
const CANDIDATES = ['postgres', 'nobody']

/**
 * PostgreSQL refuses to run as root. For root this is the account to run it under: the owner of `data` if it
 * exists, so that nobody's files change hands; for everybody else undefined, which means their own.
 *
 * @throws KodusError EMBEDDED_POSTGRES_UNAVAILABLE when root has no account to lend
 */
export function serverAccount(data: string): ServerAccount | undefined {
  if (process.getuid?.() !== 0) return undefined
  const existing = statSync(data, { throwIfNoEntry: false })
  if (existing && existing.uid !== 0) return { uid: existing.uid, gid: existing.gid }

  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  for (const name of CANDIDATES) {
    const [, , uid, gid] = accounts.find((fields) => fields[0] === name) ?? []
    if (uid && gid) return { uid: Number(uid), gid: Number(gid) }
  }
  throw new KodusError(
    'EMBEDDED_POSTGRES_UNAVAILABLE',
    `PostgreSQL refuses to run as root, and this system has no account ${CANDIDATES.join(' or ')}.`,
    { help: 'Start as an ordinary user, or set DATABASE_URL to a PostgreSQL server.' },
  )
}

/** Whether the account can enter a directory, asked by doing it: modes alone would miss ACLs and mounts. */
export function canEnter(account: ServerAccount, directory: string): boolean {
  const shell = spawnSync('/bin/sh', ['-c', 'cd -- "$1"', 'sh', directory], {
    ...account,
    cwd: '/',
    stdio: 'ignore',
  })
  return shell.status === 0
}
