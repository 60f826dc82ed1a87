import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Log } from '../../lib/log.ts'
import { launchPostmaster } from './launch-postmaster.ts'
import { checkData, initialiseData } from './postgres-directory.ts'
import { DATABASE, settleIn, urlOf } from './postgres-home.ts'
import { findPostmaster, type RunningPostmaster, stopPostmaster } from './postmaster.ts'

export interface EmbeddedPostgres {
  /** The superuser's, with the password: a secret. */
  url: string
  port: number
  pid: number
  /** Where data, password and log are: not the directory asked for if the server's account cannot reach it. */
  directory: string
  /** Whether the server already ran: a parent that was killed left it behind. */
  adopted: boolean
  /** Ends the server: sessions are cut off, what they committed is on disk. */
  stop(): Promise<void>
}

export interface EmbeddedPostgresOptions {
  directory: string
  /** Taken if it is free; otherwise, and by default, any free port. */
  preferredPort?: number
  /** Server settings that differ from the usual ones. */
  settings?: Record<string, string>
  log: Log
}

/**
 * Runs the real PostgreSQL server that comes as an npm package, on 127.0.0.1 only, and resolves once it
 * answers a query. The data directory is created on first use. The server has a process group of its own, so
 * that Ctrl-C in a terminal leaves it to `stop()`. One that still runs on the directory is adopted.
 *
 * @throws KodusError EMBEDDED_POSTGRES_UNAVAILABLE when this platform has no server, …_VERSION, …_NOT_OWNER,
 * …_INCOMPLETE and …_LOCKED when the directory cannot be used, …_FAILED when the server does not start
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { log, preferredPort, settings = {} } = options
  const wanted = path.resolve(options.directory)
  const home = await settleIn(wanted)
  if (home.directory !== wanted)
    log.info(`the database's account cannot reach ${wanted}: using ${home.directory}`)

  let running: RunningPostmaster | undefined
  if (existsSync(home.data)) {
    checkData(home)
    running = await findPostmaster(home, log)
  } else {
    log.info('creating the database (once)')
    await initialiseData(home)
  }
  const adopted = running !== undefined
  if (running) log.info(`adopted the database server that was still running, pid ${running.pid}`)
  const server = running ?? (await launchPostmaster(home, { preferredPort, settings }))

  let stopping: Promise<void> | undefined
  return {
    url: urlOf(home, server.port, DATABASE),
    port: server.port,
    pid: server.pid,
    directory: home.directory,
    adopted,
    stop() {
      stopping ??= stopPostmaster(home, server)
      return stopping
    },
  }
}
