import type { ChildProcess } from 'node:child_process'
import { rmSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { KodusError } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import { DATABASE, type PostgresHome, urlOf } from './postgres-home.ts'
import { identify, type PostmasterFile, readPostmasterFile } from './postmaster-file.ts'

/** A server's main process: our child, or one whose parent is gone and that is recognised by its file. */
export interface RunningPostmaster extends PostmasterFile {
  child?: ChildProcess
}

type ServerFiles = Pick<PostgresHome, 'data' | 'logFile'>

/** A server may have to recover first: it replays at most `max_wal_size`. */
const READY_WITHIN_MS = 60_000
/** A fast shutdown ends with a checkpoint, and that with whatever the disk takes. */
const FAST_SHUTDOWN_MS = 20_000
/** An immediate one leaves the rest to the next start's recovery. */
const IMMEDIATE_SHUTDOWN_MS = 5_000

export const POLL_MS = 50

/**
 * The server that still runs on a data directory, once it answers. One that will not is stopped, and a
 * leftover `postmaster.pid` that would keep a new server from starting is removed.
 */
export async function findPostmaster(home: PostgresHome, log: Log): Promise<RunningPostmaster | undefined> {
  const written = readPostmasterFile(home.data)
  if (!written) return undefined
  switch (identify(written, home.data)) {
    case 'gone':
      return undefined // PostgreSQL sees that itself, and also looks for survivors of a killed server.
    case 'foreign':
      log.warn(`postmaster.pid names process ${written.pid}, which is another program: removing the file`)
      rmSync(path.join(home.data, 'postmaster.pid'), { force: true })
      return undefined
    case 'unknown':
      throw unrecognised(home, written)
    case 'ours':
      if (await becomesReady(home, written)) return written
      await stopPostmaster(home, written)
      return undefined
  }
}

/** Waits while a server starts or recovers. False when it has ended or will not answer. */
export async function becomesReady(home: PostgresHome, server: RunningPostmaster): Promise<boolean> {
  const deadline = Date.now() + READY_WITHIN_MS
  while (Date.now() < deadline && isRunning(home, server)) {
    try {
      await createDatabaseOnce(urlOf(home, server.port, 'postgres'))
      return true
    } catch (error) {
      const state = error instanceof pg.DatabaseError ? error.code : undefined
      if (state === '28P01') {
        throw new KodusError(
          'EMBEDDED_POSTGRES_INCOMPLETE',
          `The password in ${home.passwordFile} is not that of the database beside it.`,
          { help: `Restore the file; or move ${home.directory} away, and an empty database is created.` },
        )
      }
      // No answer yet, or 57P03: starting up, shutting down.
      if (state && !state.startsWith('57P')) throw error
    }
    await sleep(POLL_MS)
  }
  return false
}

/**
 * Fast shutdown, and if that takes too long an immediate one, which loses nothing committed either.
 *
 * @throws KodusError EMBEDDED_POSTGRES_STUCK when the server survives both
 */
export async function stopPostmaster(home: ServerFiles, server: RunningPostmaster): Promise<void> {
  for (const [signal, patienceMs] of [
    ['SIGINT', FAST_SHUTDOWN_MS],
    ['SIGQUIT', IMMEDIATE_SHUTDOWN_MS],
  ] as const) {
    if (!isRunning(home, server)) return
    if (server.child) server.child.kill(signal)
    else process.kill(server.pid, signal)
    const deadline = Date.now() + patienceMs
    while (Date.now() < deadline) {
      if (!isRunning(home, server)) return
      await sleep(POLL_MS)
    }
  }
  throw new KodusError('EMBEDDED_POSTGRES_STUCK', `The database server, pid ${server.pid}, does not stop.`, {
    help: `Its log is ${home.logFile}.`,
  })
}

/** A child of ours cannot be mistaken; any other process must be the one that wrote the file. */
function isRunning(home: ServerFiles, server: RunningPostmaster): boolean {
  const { child } = server
  if (child) return child.pid !== undefined && child.exitCode === null && child.signalCode === null
  const identity = identify(server, home.data)
  if (identity === 'unknown') throw unrecognised(home, server)
  return identity === 'ours'
}

function unrecognised(home: ServerFiles, server: PostmasterFile): KodusError {
  return new KodusError(
    'EMBEDDED_POSTGRES_LOCKED',
    `${home.data}/postmaster.pid names process ${server.pid}, and it is not certain that this is the server.`,
    {
      help: 'If that process is PostgreSQL, stop it; if it is not, delete the file. Then start again. (A clock that was set in the meantime causes this.)',
    },
  )
}

async function createDatabaseOnce(url: string): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 5_000,
    query_timeout: 20_000,
  })
  client.on('error', () => {}) // The call that fails says it too.
  try {
    await client.connect()
    const { rowCount } = await client.query('select from pg_database where datname = $1', [DATABASE])
    if (rowCount === 0) await client.query(`create database ${DATABASE}`)
  } finally {
    await client.end().catch(() => {})
  }
}
