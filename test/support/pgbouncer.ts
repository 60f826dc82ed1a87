import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  cpSync,
  globSync,
  lchownSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../src/cli/stack/free-port.ts'
import { serverAccount } from '../../src/cli/stack/server-account.ts'
import { findDebianPackage } from './debian-packages.ts'

const pgbouncer = findDebianPackage({ name: 'pgbouncer', needed: /^(pgbouncer|lib(?!c6|perl|python).+)$/ })

/** For a test's `skip`: why there is no PgBouncer here. */
export const skipWithoutPgbouncer = pgbouncer.skip

/**
 * A PgBouncer in front of the server of `url`, gone after the test.
 *
 * @param mode `session`: a connection keeps its backend until it closes; `transaction`: until the next commit
 * @returns the same URL by way of it
 */
export async function startPgbouncer(
  t: TestContext,
  url: string,
  mode: 'session' | 'transaction',
): Promise<string> {
  const address = new URL(url)
  const directory = mkdtempSync(path.join(tmpdir(), 'kodus-pgbouncer-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  // It refuses to be root, and no other account may enter the directory of the one who runs the tests.
  const account = serverAccount(directory)
  cpSync(pgbouncer.root, directory, { recursive: true, verbatimSymlinks: true })
  const libraries = globSync('{usr/,}lib/*-linux-gnu*', { cwd: pgbouncer.root })

  const port = await freePort()
  const users = path.join(directory, 'users')
  writeFileSync(users, `"${address.username}" "${address.password}"\n`)
  const settings = path.join(directory, 'pgbouncer.ini')
  writeFileSync(
    settings,
    `[databases]
* = host=${address.hostname} port=${address.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${users}
pool_mode = ${mode}
`,
  )
  if (account) for (const each of [directory, users, settings]) lchownSync(each, account.uid, account.gid)
  chmodSync(directory, 0o700)
  const logFile = path.join(directory, 'log')
  const log = openSync(logFile, 'a')
  const child = spawn(path.join(directory, 'usr/sbin/pgbouncer'), [settings], {
    ...account,
    cwd: directory,
    env: { LD_LIBRARY_PATH: libraries.map((each) => path.join(directory, each)).join(':') },
    stdio: ['ignore', log, log],
  })
  t.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  await untilListening(port, () => child.exitCode === null).catch((error: Error) => {
    throw new Error(`${error.message}:\n${readFileSync(logFile, 'utf8')}`)
  })
  address.hostname = '127.0.0.1'
  address.port = String(port)
  return address.href
}

async function untilListening(port: number, mayStill: () => boolean): Promise<void> {
  while (mayStill()) {
    const socket = connect(port, '127.0.0.1')
    const listens = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (listens) return
    await sleep(50)
  }
  throw new Error('PgBouncer does not start')
}
