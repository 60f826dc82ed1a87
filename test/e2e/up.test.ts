import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { cpSync, mkdtempSync, realpathSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { kodus } from '../support/kodus.ts'
import { ask, isAlive, REQUEST, send, startUp, type Up } from './start-up.ts'

/** The promise is 3 s; a test on a busy machine is given more. */
const ANSWERED_WITHIN_MS = 9_000

test('a second stack in the same directory is refused, and says whose it is', async (t) => {
  const { child, directory } = await startUp(t)
  const second = await kodus(['up'], { KODUS_DIRECTORY: directory })
  assert.equal(second.code, 2)
  assert.match(second.stderr, /STACK_ALREADY_RUNS/)
  assert.match(second.stderr, new RegExp(`pid ${child.pid}`))
})

test('two checkouts run side by side, each with ports, data and secrets of its own', async (t) => {
  // Neither names a port: whoever comes second finds those of the first taken.
  const [one, other] = [await startUp(t, { ports: {} }), await startCopy(t)]
  const parts = ({ up }: Up) => [up.components.webhook.url, up.components.api.url, up.database.where]
  const all = [...parts(one), ...parts(other)]
  assert.equal(new Set(all).size, all.length, all.join(' '))
  assert.equal(other.up.directory, path.join(realpathSync(other.directory), '.kodus'))

  for (const [stack, stranger] of [
    [one, other],
    [other, one],
  ] as const) {
    const health = await (await fetch(`${stack.up.components.webhook.url}/health`)).json()
    assert.equal((health as { instance: string }).instance, stack.settings().KODUS_INSTANCE_ID)
    assert.equal((await send(stack, REQUEST)).status, 202)
    assert.equal((await send({ ...stack, settings: stranger.settings }, REQUEST)).status, 401)
    const { jobs } = await ask<{ jobs: object[] }>(stack, '/jobs')
    assert.equal(jobs.length, 1, 'each has its own job alone')
  }
  other.child.kill('SIGINT')
  assert.deepEqual(await other.exited, [0, null])
  assert.equal((await send(one, { ...REQUEST, title: 'still there' })).status, 202)
})

/** Another checkout, in which `.kodus` is where it always is. */
async function startCopy(t: TestContext): Promise<Up> {
  const checkout = mkdtempSync(path.join(tmpdir(), 'kodus-checkout-'))
  for (const name of ['src', 'package.json']) cpSync(name, path.join(checkout, name), { recursive: true })
  symlinkSync(path.resolve('node_modules'), path.join(checkout, 'node_modules'))
  return startUp(t, { directory: checkout, checkout, ports: {} })
}

test('a component that dies is started again, and the others do not notice', async (t) => {
  const { up, line } = await startUp(t)
  process.kill(up.components.webhook.pid, 'SIGKILL')
  await line(({ msg }) => msg.startsWith('webhook ended (SIGKILL)'))
  const url = `${up.components.webhook.url}/health`
  while (
    !(await fetch(url).then(
      (response) => response.ok,
      () => false,
    ))
  )
    await sleep(50)
  assert.ok(isAlive(up.components.api.pid))
  assert.ok(isAlive(up.components.worker.pid))
})

test('PostgreSQL that dies is started again, and the components find it', async (t) => {
  const { up, line, settings } = await startUp(t)
  const key = settings().KODUS_API_KEY
  process.kill(up.database.pid, 'SIGKILL')
  await line(({ msg }) => msg.startsWith('PostgreSQL has ended'))
  const url = `${up.components.api.url}/jobs`
  const answers = () =>
    fetch(url, { headers: { authorization: `Bearer ${key}` } }).then(({ status }) => status)
  while ((await answers()) !== 200) await sleep(100)
})

test('while the embedded PostgreSQL does not answer a webhook is 503, and nothing is lost by sending it again', async (t) => {
  const stack = await startUp(t)
  const server = stack.up.database.pid
  assert.ok(server > 1)
  const id = randomUUID()
  const frozen = [server, ...childrenOf(server)]
  for (const pid of frozen) process.kill(pid, 'SIGSTOP')
  try {
    const began = performance.now()
    const refused = await send(stack, REQUEST, id)
    assert.ok(performance.now() - began < ANSWERED_WITHIN_MS)
    assert.deepEqual([refused.status, refused.code], [503, 'STORES_UNAVAILABLE'])
    assert.match(refused.retryAfter ?? '', /^[1-9]\d*$/)
  } finally {
    for (const pid of frozen) process.kill(pid, 'SIGCONT')
  }
  const answers = async () => (await send(stack, REQUEST, id)).status
  while ((await answers()) !== 202) await sleep(100)
  const { jobs } = await ask<{ jobs: { deliveryId: string }[] }>(stack, '/jobs')
  assert.deepEqual(
    jobs.map(({ deliveryId }) => deliveryId),
    [id],
  )
})

/** The processes of a server; each has a process group of its own. */
function childrenOf(server: number): number[] {
  const listed = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n')
  const pairs = listed.map((line) => line.trim().split(/ +/).map(Number))
  return pairs.flatMap(([pid, parent]) => (pid && parent === server ? [pid] : []))
}
