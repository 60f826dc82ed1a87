import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseEnv } from 'node:util'
import { freePort } from '../../src/cli/stack/free-port.ts'
import { kodus } from '../support/kodus.ts'
import type { LogLine } from '../support/processes.ts'

interface StackLine extends LogLine {
  components: Record<'webhook' | 'api' | 'worker', { url?: string; pid: number }>
  database: { pid: number }
}

/** `kodus up` in a data directory of its own. */
async function startUp(t: TestContext, directory = mkdtempSync(path.join(tmpdir(), 'kodus-up-'))) {
  chmodSync(directory, 0o755)
  const { PATH = '', HOME = '' } = process.env
  const env = {
    PATH,
    HOME,
    KODUS_DIRECTORY: directory,
    WEBHOOK_PORT: String(await freePort()),
    API_PORT: String(await freePort()),
  }
  const child = spawn(process.execPath, ['src/cli/main.ts', 'up'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  const exited = once(child, 'exit')
  const lines: LogLine[] = []
  const reader = createInterface(child.stdout).on('line', (line) => lines.push(JSON.parse(line)))
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT')
    await exited
    reader.close()
    rmSync(directory, { recursive: true, force: true })
  })
  const line = async (matches: (line: LogLine) => boolean): Promise<LogLine> => {
    for (;;) {
      const found = lines.find(matches)
      if (found) return found
      if (child.exitCode !== null) throw new Error(`kodus up ended: ${JSON.stringify(lines.slice(-5))}`)
      await sleep(50)
    }
  }
  const up = (await line(({ msg }) => msg === 'the stack is up')) as StackLine
  return { child, exited, directory, lines, line, up }
}

function isAlive(pid: number): boolean {
  try {
    return pid > 1 && process.kill(pid, 0)
  } catch {
    return false
  }
}

test('up runs three processes and PostgreSQL, keeps secrets to its owner, and Ctrl-C stops them all', async (t) => {
  const { child, exited, directory, lines, up } = await startUp(t)
  const pids = [...Object.values(up.components).map(({ pid }) => pid), up.database.pid]
  assert.equal(new Set(pids).size, 4)
  assert.ok(pids.every(isAlive))
  for (const line of lines)
    assert.ok(line.level && line.time && line.component && line.msg, JSON.stringify(line))

  const settings = parseEnv(readFileSync(path.join(directory, 'env'), 'utf8'))
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

test('a second stack in the same directory is refused, and says whose it is', async (t) => {
  const { child, directory } = await startUp(t)
  const second = await kodus(['up'], { KODUS_DIRECTORY: directory })
  assert.equal(second.code, 2)
  assert.match(second.stderr, /STACK_ALREADY_RUNS/)
  assert.match(second.stderr, new RegExp(`pid ${child.pid}`))
})

test('after kill -9 of the supervisor its components end, and the next start has everything again', async (t) => {
  const first = await startUp(t)
  const key = parseEnv(readFileSync(path.join(first.directory, 'env'), 'utf8')).KODUS_API_KEY
  first.child.kill('SIGKILL')
  await first.exited
  const components = Object.values(first.up.components).map(({ pid }) => pid)
  while (components.some(isAlive)) await sleep(50)

  const { up } = await startUp(t, first.directory)
  const jobs = await fetch(`${up.components.api.url}/jobs`, { headers: { authorization: `Bearer ${key}` } })
  assert.equal(jobs.status, 200, 'the same database, the same key')
})

test('PostgreSQL that dies is started again, and the components find it', async (t) => {
  const { up, line, directory } = await startUp(t)
  const key = parseEnv(readFileSync(path.join(directory, 'env'), 'utf8')).KODUS_API_KEY
  process.kill(up.database.pid, 'SIGKILL')
  await line(({ msg }) => msg.startsWith('PostgreSQL has ended'))
  const url = `${up.components.api.url}/jobs`
  const answers = () =>
    fetch(url, { headers: { authorization: `Bearer ${key}` } }).then(({ status }) => status)
  while ((await answers()) !== 200) await sleep(100)
})

test('what the running stack left for other commands is gone when it stops; the secrets stay', async (t) => {
  const { child, exited, directory } = await startUp(t)
  const settings = () => Object.keys(parseEnv(readFileSync(path.join(directory, 'env'), 'utf8'))).sort()
  assert.ok(settings().includes('DATABASE_URL'))
  child.kill('SIGTERM')
  await exited
  assert.deepEqual(settings(), ['GIT_WEBHOOK_SECRET', 'KODUS_API_KEY', 'KODUS_INSTANCE_ID'])
})
