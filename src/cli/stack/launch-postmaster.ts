import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, renameSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { KodusError } from '../../lib/errors.ts'
import { freePort } from './free-port.ts'
import type { PostgresHome } from './postgres-home.ts'
import { becomesReady, POLL_MS, type RunningPostmaster } from './postmaster.ts'
import { readPostmasterFile } from './postmaster-file.ts'

/** What one person's laptop needs. Nothing here trades durability: what is committed is on disk. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  synchronous_commit: 'on',
  max_connections: '60',
  shared_buffers: '32MB',
  max_wal_size: '256MB',
  // No replica will ever read this log.
  wal_level: 'minimal',
  max_wal_senders: '0',
  // Three processes fewer; their gain is on disks with a long way to go.
  io_method: 'sync',
}

const ATTEMPTS = 10

export interface LaunchOptions {
  preferredPort: number | undefined
  settings: Record<string, string>
}

/**
 * Starts a server on a data directory that no server uses, and resolves once it answers.
 *
 * @throws KodusError EMBEDDED_POSTGRES_FAILED with the end of the server's log
 */
export async function launchPostmaster(
  home: PostgresHome,
  { preferredPort, settings }: LaunchOptions,
): Promise<RunningPostmaster> {
  if (existsSync(home.logFile)) renameSync(home.logFile, `${home.logFile}.old`)
  for (let attempt = 1; ; attempt++) {
    const port = await freePort(preferredPort)
    const child = spawnPostgres(home, { ...SETTINGS, ...settings, port: String(port) })
    const server = await untilReady(home, child)
    if (server) return server

    const output = readFileSync(home.logFile, 'utf8')
    // Somebody was faster to the port, or a killed server is still leaving: its last processes, or itself, until its
    // parent has taken notice.
    const mayPass =
      /could not bind|could not create any TCP|shared memory block|lock file "postmaster.pid" already exists/.test(
        output,
      )
    if (!mayPass || attempt === ATTEMPTS) {
      throw new KodusError(
        'EMBEDDED_POSTGRES_FAILED',
        `The database server did not start: ${output.trim().split('\n').slice(-3).join(' ')}`,
        { help: `Its log is ${home.logFile}. Setting DATABASE_URL uses another server.` },
      )
    }
    await sleep(attempt * POLL_MS)
  }
}

function spawnPostgres(home: PostgresHome, settings: Record<string, string>): ChildProcess {
  const output = openSync(home.logFile, 'a', 0o600)
  try {
    const assignments = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const child = spawn(home.binaries.postgres, ['-D', home.data, ...assignments], {
      ...home.account,
      cwd: home.directory,
      // Language and defaults would come from the environment; and the log is searched for English words.
      env: { LC_ALL: 'C' },
      detached: true,
      windowsHide: true,
      stdio: ['ignore', output, output],
    })
    child.on('error', () => {}) // Told by the absence of a pid.
    child.unref()
    return child
  } finally {
    closeSync(output)
  }
}

async function untilReady(home: PostgresHome, child: ChildProcess): Promise<RunningPostmaster | undefined> {
  try {
    while (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      const written = readPostmasterFile(home.data)
      if (written?.pid !== child.pid) await sleep(POLL_MS)
      else return (await becomesReady(home, { ...written, child })) ? { ...written, child } : undefined
    }
    return undefined
  } catch (error) {
    child.kill('SIGINT')
    throw error
  }
}
