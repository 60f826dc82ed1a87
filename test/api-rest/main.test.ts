import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { readConfig, variables } from '../../src/api-rest/config.ts'
import { createApiKey } from '../../src/store/create-api-key.ts'
import { createDatabase } from '../support/database.ts'
import { openStream } from './read-stream.ts'
import { createJob } from './start-api.ts'

const MAIN = fileURLToPath(new URL('../../src/api-rest/main.ts', import.meta.url))

/** The real component as a process of its own, killed after the test if it still runs. */
function startProcess(t: TestContext, env: Record<string, string>) {
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env.PATH, API_HOST: '127.0.0.1', API_PORT: '0', API_DRAIN_SECONDS: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  t.after(() => child.kill('SIGKILL'))
  // biome-ignore lint/suspicious/noExplicitAny: whatever fields a log line has; tests say what they expect.
  const lines: any[] = []
  assert.ok(child.stdout)
  const output = createInterface(child.stdout).on('line', (line) => lines.push(JSON.parse(line)))
  const exited = Promise.all([once(child, 'exit'), once(output, 'close')]).then(
    ([[code]]) => code as number | null,
  )
  return {
    child,
    lines,
    exited,
    /** Resolves with the address once the component has told its parent that it is ready. */
    ready: async (): Promise<string> => {
      const [message] = await once(child, 'message')
      assert.equal(message, 'ready')
      return lines.find(({ msg }) => msg === 'api-rest ready').address
    },
  }
}

test('the component starts while its database is away, and is alive but not ready', async (t) => {
  const url = 'postgresql://kodus:secret-password@127.0.0.1:1/kodus'
  const { child, lines, exited, ready } = startProcess(t, { DATABASE_URL: url, KODUS_INSTANCE_ID: 'left' })
  const address = await ready()
  const health = await (await fetch(`${address}/health`)).json()
  assert.partialDeepStrictEqual(health, { status: 'ok', component: 'api-rest', instance: 'left' })
  assert.equal((await fetch(`${address}/ready`)).status, 503)

  child.kill('SIGTERM')
  assert.equal(await exited, 0)
  assert.doesNotMatch(JSON.stringify(lines), /secret-password/)
})

test('SIGTERM ends streams and exits with 0', async (t) => {
  const { url, pool } = await createDatabase(t)
  const { key } = await createApiKey(pool, { name: 'reader', scopes: ['read'] })
  const id = await createJob(pool)
  const { child, lines, exited, ready } = startProcess(t, { DATABASE_URL: url })
  const stream = await openStream(`${await ready()}/jobs/${id}/events`, key)
  await stream.until('transition')
  child.kill('SIGTERM')
  assert.deepEqual(await stream.rest(), [])
  assert.equal(await exited, 0)
  assert.equal(lines.at(-1).msg, 'api-rest stopped')
  assert.ok(lines.every(({ component }) => component === 'api-rest'))
})

test('asked to stop, it is not ready at once, and answers until the drain is over', async (t) => {
  const { url } = await createDatabase(t)
  const { child, exited, ready } = startProcess(t, { DATABASE_URL: url, API_DRAIN_SECONDS: '3' })
  const address = await ready()
  const stopping = async () => {
    const answer = await fetch(`${address}/ready`)
    return answer.status === 503 && ((await answer.json()) as { code: string }).code === 'STOPPING'
  }
  child.kill('SIGTERM')
  while (!(await stopping())) await setImmediate()
  const answer = await fetch(`${address}/health`)
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('connection'), 'close')
  assert.equal(await exited, 0)
})

test('a supervised component ends with its parent', async (t) => {
  const { url } = await createDatabase(t)
  const { child, exited, ready } = startProcess(t, { DATABASE_URL: url, KODUS_SUPERVISED: '1' })
  await ready()
  child.disconnect()
  assert.equal(await exited, 0)
})

test('a start that cannot succeed ends with one coded line and exit code 1', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  t.after(() => taken.close())
  await once(taken, 'listening')
  const { port } = taken.address() as { port: number }
  const DATABASE_URL = 'postgresql://127.0.0.1:1/kodus'

  const rows: [env: Record<string, string>, code: string, message: RegExp][] = [
    [{}, 'CONFIG_MISSING', /DATABASE_URL/],
    [{ DATABASE_URL, API_PORT: 'http' }, 'CONFIG_INVALID', /API_PORT/],
    [{ DATABASE_URL, API_PORT: '65536' }, 'CONFIG_INVALID', /API_PORT/],
    [{ DATABASE_URL, LOG_LEVEL: 'loud' }, 'CONFIG_INVALID', /LOG_LEVEL/],
    [{ DATABASE_URL, DATABASE_CA_FILE: '/nowhere.pem' }, 'DATABASE_CA_UNREADABLE', /nowhere\.pem/],
    [{ DATABASE_URL, API_PORT: String(port) }, 'LISTEN_FAILED', new RegExp(String(port))],
  ]
  for (const [env, code, message] of rows) {
    const { lines, exited } = startProcess(t, env)
    assert.equal(await exited, 1, code)
    const errors = lines.filter(({ level }) => level === 'error')
    assert.equal(errors.length, 1, JSON.stringify(lines))
    assert.equal(errors[0].code, code)
    assert.match(errors[0].msg, message)
    assert.ok(errors[0].help)
  }
})

test('every variable has a description, and its documented default is the one that is read', () => {
  const config = readConfig({ DATABASE_URL: 'postgresql://127.0.0.1/kodus' })
  assert.equal(String(config.port), variables.API_PORT.default)
  assert.equal(config.host, variables.API_HOST.default)
  for (const [name, { describe }] of Object.entries(variables)) assert.ok(describe, name)
})
