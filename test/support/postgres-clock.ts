import { spawn } from 'node:child_process'
import { copyFileSync, globSync, mkdtempSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../src/cli/stack/free-port.ts'
import { initialiseData } from '../../src/cli/stack/postgres-directory.ts'
import { DATABASE, type PostgresHome, settleIn, urlOf } from '../../src/cli/stack/postgres-home.ts'
import { becomesReady, stopPostmaster } from '../../src/cli/stack/postmaster.ts'
import { readPostmasterFile } from '../../src/cli/stack/postmaster-file.ts'
import { findDebianPackage } from './debian-packages.ts'

const faketime = findDebianPackage({ name: 'libfaketime', needed: /^libfaketime$/ })

/** For a test's `skip`: why there is no PostgreSQL here whose clock can be set. */
export const skipWithoutFaketime = faketime.skip

export interface PostgresWithClock {
  url: string
  /** Sets the clock of the running server so many seconds before (−) or after the real time. */
  setClock(seconds: number): void
}

/**
 * A real server of the test's own, whose processes all ask libfaketime for the time of day. What measures how long
 * something takes (its monotonic clock) goes on as it is, as when an operator or NTP sets a machine's clock.
 */
export async function startPostgresWithClock(t: TestContext): Promise<PostgresWithClock> {
  const home = await settleIn(mkdtempSync(path.join(tmpdir(), 'kodus-clock-')))
  const [library] = globSync(path.join(faketime.root, 'usr/lib/*/faketime/libfaketime.so.1'))
  if (!library) throw new Error(`libfaketime is not where Debian puts it, below ${faketime.root}`)
  // The server's account may not enter the directory of the one who runs the tests.
  const ownLibrary = path.join(home.directory, 'libfaketime.so.1')
  copyFileSync(library, ownLibrary)
  const clock = path.join(home.directory, 'clock')
  const setClock = (seconds: number) => {
    writeFileSync(`${clock}.new`, `${seconds < 0 ? '' : '+'}${seconds}\n`)
    renameSync(`${clock}.new`, clock) // Whole, whenever it is read.
  }
  setClock(0)
  await initialiseData(home)

  const port = await freePort()
  const child = spawnPostgres(home, port, {
    LD_PRELOAD: ownLibrary,
    FAKETIME_TIMESTAMP_FILE: clock,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  })
  const server = { pid: child.pid ?? 0, startedAt: 0, port, child }
  // After the test's other hooks, which stop what is connected to it.
  t.after(() =>
    t.after(async () => {
      await stopPostmaster(home, server)
      rmSync(home.directory, { recursive: true, force: true })
    }),
  )
  while (readPostmasterFile(home.data)?.port !== port && child.exitCode === null) await sleep(50)
  if (!(await becomesReady(home, server))) throw new Error(`it does not start: see ${home.logFile}`)
  return { url: urlOf(home, port, DATABASE), setClock }
}

function spawnPostgres(home: PostgresHome, port: number, env: Record<string, string>) {
  const output = openSync(home.logFile, 'a')
  const settings = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    `port=${port}`,
    'shared_buffers=32MB',
  ]
  return spawn(
    home.binaries.postgres,
    ['-D', home.data, ...settings.flatMap((setting) => ['-c', setting])],
    // A group of its own: Ctrl-C in a terminal is for the tests, which then stop it.
    {
      ...home.account,
      cwd: home.directory,
      env: { LC_ALL: 'C', ...env },
      detached: true,
      stdio: ['ignore', output, output],
    },
  )
}
