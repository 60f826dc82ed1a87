import assert from 'node:assert/strict'
import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../src/cli/stack/free-port.ts'
import { inspectProcess } from '../../src/cli/stack/inspect-process.ts'
import { answers, startLlmServer } from '../support/llm-server.ts'
import { spawnComponent } from '../support/processes.ts'
import { makeRepository } from '../support/repository.ts'
import { ask, isAlive, REQUEST, send, startUp } from './start-up.ts'

test('up runs three processes and PostgreSQL, keeps secrets to its owner, and Ctrl-C stops them all', async (t) => {
  const stack = await startUp(t)
  const { child, exited, directory, lines, up } = stack
  const pids = [...Object.values(up.components).map(({ pid }) => pid), up.database.pid]
  assert.equal(new Set(pids).size, 4)
  assert.ok(pids.every(isAlive))
  for (const line of lines)
    assert.ok(line.level && line.time && line.component && line.msg, JSON.stringify(line))

  const settings = stack.settings()
  assert.equal(statSync(path.join(directory, 'env')).mode & 0o077, 0)
  for (const secret of ['KODUS_API_KEY', 'GIT_WEBHOOK_SECRET', 'DATABASE_URL'] as const) {
    assert.ok(settings[secret])
    assert.equal(JSON.stringify(lines).includes(settings[secret] ?? ''), false, `${secret} is not in the log`)
  }
  const jobs = await fetch(`${up.components.api.url}/jobs`, {
    headers: { authorization: `Bearer ${settings.KODUS_API_KEY}` },
  })
  assert.equal(jobs.status, 200)
  const health = await (await fetch(`${up.components.webhook.url}/health`)).json()
  assert.equal((health as { instance: string }).instance, settings.KODUS_INSTANCE_ID)

  // Ctrl-C in a terminal reaches the whole foreground process group, and an impatient second one too.
  process.kill(-(child.pid ?? 0), 'SIGINT')
  process.kill(-(child.pid ?? 0), 'SIGINT')
  assert.deepEqual(await exited, [0, null])
  assert.deepEqual(pids.filter(isAlive), [])
  assert.ok(
    lines.some(({ component, msg }) => component === 'worker' && msg === 'worker stopped'),
    'the worker drained',
  )
  assert.equal(existsSync(path.join(directory, 'lock')), false)
})

test('Ctrl-C in the middle of a review hands it back before PostgreSQL stops, and the next start finishes it', async (t) => {
  const repository = makeRepository(t, { base: { 'a.py': 'x = 1\n' }, head: { 'a.py': 'x = 2\n' } })
  // Its first request is never answered; those after it are.
  const model = await startLlmServer(() => {}, answers({ findings: [] }))
  t.after(() => model.close())
  const env = {
    GIT_REPOSITORY_ROOTS: repository.root,
    LLM_BASE_URL: model.baseUrl,
    LLM_MODEL: 'fake',
    WORKER_GRACE_SECONDS: '0',
  }
  const first = await startUp(t, { env })
  const { base, head } = repository
  const { jobId } = await send(first, { repository: repository.path, base, head })
  while (model.requests.length === 0) await sleep(50)

  process.kill(-(first.child.pid ?? 0), 'SIGINT')
  assert.deepEqual(await first.exited, [0, null])
  assert.deepEqual(
    Object.values(first.up.components).filter(({ pid }) => isAlive(pid)),
    [],
  )
  assert.equal(isAlive(first.up.database.pid), false)

  const second = await startUp(t, { env, directory: first.directory })
  const job = () => ask<{ status: string; attempts: number }>(second, `/jobs/${jobId}`)
  while ((await job()).status !== 'COMPLETED') await sleep(50)
  const { events } = await ask<{ events: { from: string | null; to: string }[] }>(
    second,
    `/jobs/${jobId}/events`,
  )
  const moves = events.filter(({ from, to }) => from !== to).map(({ to }) => to)
  assert.deepEqual(moves, ['PENDING', 'PROCESSING', 'PENDING', 'PROCESSING', 'COMPLETED'])
  assert.equal((await job()).attempts, 1, 'and it costs no attempt')
})

test('after kill -9 of the supervisor its components end, and the next start adopts the server with all it has', async (t) => {
  const first = await startUp(t)
  const { jobId } = await send(first, REQUEST)
  first.child.kill('SIGKILL')
  await first.exited
  const components = Object.values(first.up.components).map(({ pid }) => pid)
  while (components.some(isAlive)) await sleep(50)
  assert.ok(isAlive(first.up.database.pid), 'the server outlives its parent')

  const second = await startUp(t, { directory: first.directory })
  assert.equal(second.up.database.pid, first.up.database.pid)
  assert.equal((await ask<{ id: string }>(second, `/jobs/${jobId}`)).id, jobId)

  second.child.kill('SIGINT')
  assert.deepEqual(await second.exited, [0, null])
  assert.equal(inspectProcess(first.up.database.pid), 'gone', 'and is stopped by who adopted it')
})

test('what the running stack left for other commands is gone when it stops; the secrets stay', async (t) => {
  const { child, exited, settings } = await startUp(t)
  assert.ok(settings().DATABASE_URL)
  child.kill('SIGTERM')
  await exited
  assert.deepEqual(Object.keys(settings()).sort(), [
    'GIT_WEBHOOK_SECRET',
    'KODUS_API_KEY',
    'KODUS_INSTANCE_ID',
  ])
})

test('a worker that still waits for its database stops when it is asked to', async (t) => {
  const env = { DATABASE_URL: `postgresql://127.0.0.1:${await freePort()}/none` }
  const worker = await spawnComponent(t, { type: 'worker', env, untilReady: false })
  await worker.line(({ msg }) => msg.startsWith('database not ready'))
  assert.deepEqual(await worker.stop(), { code: 0, signal: null })
})

test('without DATABASE_URL every component says so in one coded line, and ends with 1', async (t) => {
  for (const type of ['webhook', 'api', 'worker'] as const) {
    const component = await spawnComponent(t, { type, env: {}, untilReady: false })
    const line = await component.line(({ level }) => level === 'error')
    assert.equal(line.code, 'CONFIG_MISSING')
    assert.match(line.msg, /DATABASE_URL/)
    assert.ok(line.help)
    assert.equal((await component.exited).code, 1)
    assert.equal(component.lines.length, 1)
  }
})
