import { existsSync, lchownSync, mkdirSync, readFileSync, realpathSync } from 'node:fs'
import path from 'node:path'
import { locatePostgres, type PostgresBinaries } from './postgres-binaries.ts'
import { canEnter, type ServerAccount, serverAccount } from './server-account.ts'
import { systemDirectory, systemPath } from './system-directory.ts'

/** The superuser and the one database of an embedded server. */
export const USER = 'kodus'
export const DATABASE = 'kodus'

/** Where an embedded server lives and under which account it runs. */
export interface PostgresHome {
  directory: string
  /** PostgreSQL's data directory, with every symbolic link resolved. */
  data: string
  /** Mode 0600; never part of a command line. */
  passwordFile: string
  logFile: string
  /** Undefined: the account of this process. */
  account: ServerAccount | undefined
  binaries: PostgresBinaries
}

/**
 * Makes `wanted` the server's directory, or, where its account cannot reach that (a checkout under /root),
 * one in `/var/lib/kodus-ai` that belongs to `wanted` alone.
 */
export async function settleIn(wanted: string): Promise<PostgresHome> {
  let directory = wanted
  let account = serverAccount(path.join(directory, 'data'))
  mkdirSync(path.dirname(directory), { recursive: true })
  if (account && !canEnter(account, path.dirname(directory))) {
    directory = path.join(systemDirectory(directory), 'postgres')
    account = serverAccount(path.join(directory, 'data'))
  }
  const binaries = await locatePostgres(account)

  mkdirSync(directory, { recursive: true, mode: 0o700 })
  if (account) lchownSync(directory, account.uid, account.gid)
  return homeIn(directory, account, binaries)
}

/** What `settleIn` would find, looked at and left as it is. Undefined where there is no data yet. */
export async function findHome(wanted: string): Promise<PostgresHome | undefined> {
  const places = [wanted, path.join(systemPath(wanted), 'postgres')]
  const directory = places.find((place) => existsSync(path.join(place, 'data')))
  if (directory === undefined) return undefined
  const account = serverAccount(path.join(directory, 'data'))
  return homeIn(directory, account, await locatePostgres(account))
}

function homeIn(
  directory: string,
  account: ServerAccount | undefined,
  binaries: PostgresBinaries,
): PostgresHome {
  return {
    directory,
    data: path.join(realpathSync(directory), 'data'),
    passwordFile: path.join(directory, 'password'),
    logFile: path.join(directory, 'server.log'),
    account,
    binaries,
  }
}

export function urlOf(home: PostgresHome, port: number, database: string): string {
  return `postgresql://${USER}:${readFileSync(home.passwordFile, 'utf8').trim()}@127.0.0.1:${port}/${database}`
}
