import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import amqp from 'amqplib'
import { countLine, countOutcomes } from './count.ts'
import { missing } from './missing.ts'
import { type RabbitmqNode, rabbitmqUrl, skipWithoutRabbitmq, startRabbitmqNode } from './rabbitmq.ts'
import { startTcpProxy } from './tcp-proxy.ts'
import { testEnvironment } from './test-environment.ts'

const support = fileURLToPath(new URL('.', import.meta.url))

test('each test counts once: suites do not, nor parents that only passed their subtests’ failure on', (t) => {
  const { count } = runFile(
    t,
    `test('leaf', () => {})
    test('parent', async (t) => { await t.test('a', () => {}); await t.test('b', () => { throw new Error() }) })
    test('parent that fails by itself', async (t) => { await t.test('c', () => {}); throw new Error() })
    describe('suite', () => { test('d', () => {}); test('e', { skip: '${missing('a thing')}' }, () => {}) })
    describe('suite without its hook', () => { before(() => { throw new Error() }); test('f', () => {}) })
    describe('skipped suite', { skip: 'reason' }, () => { test('g', () => {}) })
    test.todo('later')`,
  )
  assert.equal(countLine(count), '4 passed, 4 failed, 3 skipped')
  assert.deepEqual(
    count.notRun.map(({ reason }) => reason),
    ['MISSING: a thing', 'reason', 'no reason given'],
  )
})

test('a test that is skipped for something missing is a failure where nothing may be missing', (t) => {
  const tests = `test('a', { skip: '${missing('a thing')}' }, () => {}); test('b', { skip: 'reason' }, () => {})`
  assert.equal(countLine(runFile(t, tests).count), '0 passed, 0 failed, 2 skipped')
  assert.equal(countLine(runFile(t, tests, { missingFails: true }).count), '0 passed, 1 failed, 1 skipped')
})

test('a file that ends in the middle of its tests is a failure', (t) => {
  for (const tests of [`test('leaf', () => {}); test('end', () => process.exit(0))`, 'process.exit(0)']) {
    assert.equal(runFile(t, tests).count.failed, 1, tests)
  }
})

test('a test that leaves a connection to its database open fails', (t) => {
  const { count, output } = runFile(
    t,
    `test('leaks', async (t) => {
      const { url } = await createDatabase(t)
      const pool = new pg.Pool({ connectionString: url, application_name: 'forgotten' })
      pool.on('error', () => {})
      await pool.query('select 42')
    })
    test('closes', async (t) => {
      const { url } = await createDatabase(t)
      const pool = new pg.Pool({ connectionString: url })
      t.after(() => pool.end())
      await pool.query('select 42')
    })`,
  )
  assert.equal(countLine(count), '1 passed, 1 failed, 0 skipped')
  assert.match(output, /forgotten, idle: select 42/)
})

test('nothing of the shell’s own settings reaches a test', () => {
  const shell = { PATH: '/bin', HOME: '/home', TERM: 'xterm', DATABASE_URL: 'x', PGHOST: 'x', GIT_DIR: 'x' }
  const more = { LLM_API_KEY: 'x', NODE_OPTIONS: 'x', RABBITMQ_URL: 'x', COMPONENT_TYPE: 'x', KODUS_X: 'x' }
  assert.deepEqual(testEnvironment({ ...shell, ...more }), { PATH: '/bin', HOME: '/home', TERM: 'xterm' })
})

test('a proxy that is cut resets what is open and what comes, until it is restored', async (t) => {
  const { proxy, dial } = await echo(t)
  const before = await dial()
  assert.equal(await say(before, 'hello'), 'hello')

  proxy.cut()
  const [error] = await once(before, 'error')
  assert.equal(error.code, 'ECONNRESET')
  const during = connect(proxy.port, '127.0.0.1')
  assert.equal((await once(during, 'error'))[0].code, 'ECONNRESET')

  proxy.restore()
  assert.equal(await say(await dial(), 'again'), 'again')
})

test('a black hole answers nobody and closes nothing; afterwards what was sent arrives', async (t) => {
  const { proxy, dial } = await echo(t)
  const old = await dial()
  assert.equal(await say(old, 'hello'), 'hello')
  proxy.blackhole()
  const fresh = await dial()

  const answers = [old, fresh].map((socket) => say(socket, 'held'))
  // A round trip of its own through the same event loop: what was going to come would have come.
  const { dial: elsewhere } = await echo(t)
  const other = await elsewhere()
  for (let i = 0; i < 20; i++) await say(other, 'tick')
  assert.deepEqual([old.bytesRead, fresh.bytesRead], [5, 0])

  proxy.restore()
  assert.deepEqual(await Promise.all(answers), ['held', 'held'])
})

test('a delay holds in both directions, and keeps the order', async (t) => {
  const { proxy, dial } = await echo(t)
  const socket = await dial()
  proxy.delay(100)
  const start = performance.now()
  socket.write('one ')
  assert.equal(await say(socket, 'two', 7), 'one two')
  assert.ok(performance.now() - start >= 199)
})

test('a RabbitMQ node of one’s own survives being killed', { skip: skipWithoutRabbitmq }, async (t) => {
  const directory = path.join(temporaryDirectory(t), 'node')
  const first = await startRabbitmqNode({ directory })
  t.after(() => first.kill())
  assert.notEqual(first.url, rabbitmqUrl())
  await withChannel(first, (channel) => channel.assertQueue('kept', QUORUM))
  // RabbitMQ 3.10 forgets a quorum queue that was made less than about a second before a SIGKILL.
  await first.stop()

  const port = Number(new URL(first.url).port)
  const second = await startRabbitmqNode({ directory, port })
  t.after(() => second.kill())
  await withChannel(second, async (channel) => {
    channel.sendToQueue('kept', Buffer.from('still here'), { persistent: true })
    await channel.waitForConfirms()
    await second.kill()
  })

  const third = await startRabbitmqNode({ directory, port })
  t.after(() => third.stop())
  assert.equal(third.url, first.url)
  await withChannel(third, async (channel) => {
    const message = await channel.get('kept')
    assert.ok(message)
    assert.equal(message.content.toString(), 'still here')
  })
  assert.match(await third.ctl(['list_queues', 'name']), /^kept$/m)
})

const QUORUM = { durable: true, arguments: { 'x-queue-type': 'quorum' } }

async function withChannel(node: RabbitmqNode, work: (channel: amqp.ConfirmChannel) => Promise<unknown>) {
  const connection = await amqp.connect(node.url)
  connection.on('error', () => {}) // The node is killed under it.
  const channel = await connection.createConfirmChannel()
  channel.on('error', () => {})
  await work(channel)
  await connection.close().catch(() => {})
}

function runFile(t: TestContext, tests: string, options = { missingFails: false }) {
  const directory = temporaryDirectory(t)
  symlinkSync(path.join(support, '..', '..', 'node_modules'), path.join(directory, 'node_modules'))
  const file = path.join(directory, 'some.test.mjs')
  const outcomes = path.join(directory, 'outcomes')
  writeFileSync(
    file,
    `import { before, describe, test } from 'node:test'
    import pg from 'pg'
    import { createDatabase } from ${JSON.stringify(path.join(support, 'database.ts'))}
    ${tests}`,
  )
  const reporter = path.join(support, 'reporter.ts')
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [
      '--test',
      `--import=${path.join(support, 'guard.ts')}`,
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
    ].concat([`--test-reporter=${reporter}`, `--test-reporter-destination=${outcomes}`], file),
    { encoding: 'utf8', env },
  )
  assert.ok(readFileSync(outcomes, 'utf8'), stdout + stderr)
  return { count: countOutcomes(outcomes, options), output: stdout }
}

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'kodus-harness-'))
  t.after(() => t.after(() => rmSync(directory, { recursive: true, force: true })))
  return directory
}

async function echo(t: TestContext) {
  const server = createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  assert.ok(address && typeof address === 'object')
  const proxy = await startTcpProxy(t, { host: '127.0.0.1', port: address.port })
  const dial = async (): Promise<Socket> => {
    const socket = connect(proxy.port, '127.0.0.1')
    socket.setEncoding('utf8')
    t.after(() => socket.destroy())
    await once(socket, 'connect')
    return socket
  }
  return { proxy, dial }
}

async function say(socket: Socket, text: string, length = text.length): Promise<string> {
  let answer = ''
  const done = new Promise<string>((resolve) => {
    const onData = (chunk: string) => {
      answer += chunk
      if (answer.length < length) return
      socket.off('data', onData)
      resolve(answer)
    }
    socket.on('data', onData)
  })
  socket.write(text)
  return await done
}
