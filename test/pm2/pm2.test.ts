import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { freePort } from '../../src/cli/stack/free-port.ts'
import { isAlive } from '../e2e/start-up.ts'
import { createDatabase } from '../support/database.ts'
import { run } from '../support/kodus.ts'
import { answers, startLlmServer } from '../support/llm-server.ts'
import type { LogLine } from '../support/processes.ts'
import { makeRepository } from '../support/repository.ts'
import { CONFIG, type Listed, openPm2, type Pm2, type Pm2Options } from './open-pm2.ts'
import { readWithoutBreak, sendWebhook, sendWithoutBreak } from './send-webhooks.ts'

const SECRET = 'a secret of this test'
const FILES = { base: { 'a.py': 'x = 1\n' }, head: { 'a.py': 'x = 2\n' } }

async function open(t: TestContext, { settings, ...options }: Partial<Pm2Options> = {}) {
  const { url, pool } = await createDatabase(t)
  const port = String(await freePort())
  const apiPort = String(await freePort())
  const pm2 = await openPm2(t, {
    ...options,
    settings: {
      DATABASE_URL: url,
      WEBHOOK_PORT: port,
      API_PORT: apiPort,
      GIT_WEBHOOK_SECRET: SECRET,
      // Long enough for every connection that is in use to hear that it is to be closed.
      WEBHOOK_DRAIN_SECONDS: '1',
      API_DRAIN_SECONDS: '0',
      ...settings,
    },
  })
  return { pm2, url, db: pool, apiPort, receiver: { port, secret: SECRET } }
}

test('one process that is killed comes back, and the others do not notice', async (t) => {
  const { pm2 } = await open(t)
  await pm2.start()
  const started = await pm2.list()
  assert.deepEqual(started.map(({ name }) => name).sort(), [
    'api-rest',
    'webhook-handler',
    'webhook-handler',
    'worker',
  ])
  for (const name of ['worker', 'api-rest', 'webhook-handler']) {
    const before = await pm2.list()
    const victim = before.find((app) => app.name === name) as Listed
    process.kill(victim.pid, 'SIGKILL')
    const after = await listed(pm2, (apps) => apps.every((app) => app.pid !== victim.pid && isOnline(app)))
    const others = (apps: Listed[]) => apps.filter(({ id }) => id !== victim.id)
    assert.deepEqual(others(after), others(before), `what a killed ${name} leaves alone`)
    assert.equal(after.find(({ id }) => id === victim.id)?.restarts, victim.restarts + 1)
  }
})

test('a reload of the webhook handler fails no request, and every 202 has its job', async (t) => {
  const { pm2, db, receiver } = await open(t)
  await pm2.start('--only', 'webhook-handler')
  const before = await pm2.list()

  const load = sendWithoutBreak(receiver)
  for (let round = 0; round < 2; round++) await pm2.done('reload', 'webhook-handler')
  await load.stop()

  const after = await pm2.list()
  assert.deepEqual(after.map(isOnline), [true, true])
  assert.equal(new Set([...before, ...after].map(({ pid }) => pid)).size, 4, 'both are other processes')
  assert.deepEqual(load.failed, [])
  assert.ok(load.accepted.length > 100, `${load.accepted.length} webhooks were sent`)
  const { rows } = await db.query('select id from workflow_jobs order by id')
  assert.deepEqual(
    rows.map(({ id }) => id),
    load.accepted.sort(),
  )
})

test('a reload of the API, which is one process, fails no request', async (t) => {
  const { pm2, apiPort } = await open(t, { settings: { API_DRAIN_SECONDS: '1' } })
  await pm2.start('--only', 'api-rest')
  const before = await only(pm2, 'api-rest')

  const load = readWithoutBreak(apiPort, '/health')
  await pm2.done('reload', 'api-rest')
  await load.stop()

  const after = await only(pm2, 'api-rest')
  assert.notEqual(after.pid, before.pid)
  assert.equal(isOnline(after), true)
  assert.deepEqual(load.failed, [])
  assert.ok(load.accepted.length > 100, `${load.accepted.length} requests were answered`)
})

test('a connection that PM2 hands to a webhook handler that is leaving is served by the other one', async (t) => {
  const { pm2, receiver } = await open(t, { settings: { WEBHOOK_DRAIN_SECONDS: '0' } })
  await pm2.start('--only', 'webhook-handler')
  const [leaving] = await pm2.list()
  // Frozen, PM2 hears of the connections first, and only then that the handler has closed its port.
  process.kill(pm2.daemonPid(), 'SIGSTOP')
  const sockets = [1, 2, 3, 4].map(() => connect(Number(receiver.port), '127.0.0.1'))
  await Promise.all(sockets.map((socket) => once(socket, 'connect')))
  const sent = sockets.map((socket, index) => {
    const change = { repository: 'https://git.example/team/shop.git', base: 'main', head: `topic-${index}` }
    return sendWebhook(receiver, change, { createConnection: () => socket })
  })
  process.kill((leaving as Listed).pid, 'SIGINT')
  while (!pm2.log('webhook-handler').some(({ msg }) => msg === 'webhook handler stopped')) await sleep(20)
  process.kill(pm2.daemonPid(), 'SIGCONT')
  assert.deepEqual(
    (await Promise.all(sent)).map(({ status }) => status),
    [202, 202, 202, 202],
  )
})

test('a worker that is restarted for its memory in the middle of a job hands it back: one review, nothing lost', async (t) => {
  const repository = makeRepository(t, FILES)
  // Its first request is never answered; those after it are.
  const model = await startLlmServer(() => {}, answers({ findings: [] }))
  t.after(() => model.close())
  const grows = `process.on('SIGUSR2', () => (globalThis.grown = Buffer.alloc(${400 * 2 ** 20}, 1)))`
  const preload = JSON.stringify(`--import=data:text/javascript,${encodeURIComponent(grows)}`)
  const { pm2, db, receiver } = await open(t, {
    settings: {
      GIT_REPOSITORY_ROOTS: repository.root,
      LLM_BASE_URL: model.baseUrl,
      LLM_MODEL: 'fake',
      WORKER_GRACE_SECONDS: '1',
    },
    // Above what a worker has, and below what this one will have. PM2 looks every 30 seconds by itself.
    change: `(apps) => apps.map((app) => ({ ...app, node_args: [${preload}], max_memory_restart: '400M' }))`,
    env: { PM2_WORKER_INTERVAL: '500' },
  })
  await pm2.start('--only', 'webhook-handler,worker')
  const worker = await only(pm2, 'worker')
  const { path: where, base, head } = repository
  const { status, jobId } = await sendWebhook(receiver, { repository: where, base, head })
  assert.equal(status, 202)
  while (model.requests.length === 0) await sleep(20)

  process.kill(worker.pid, 'SIGUSR2')
  await finished(db, jobId)
  assert.match(pm2.read('pm2.log'), /restarted because it exceeds --max-memory-restart value/)
  assert.equal((await only(pm2, 'worker')).restarts, 1)
  assert.deepEqual(await moves(db, jobId), ['PENDING', 'PROCESSING', 'PENDING', 'PROCESSING', 'COMPLETED'])
  const { rows } = await db.query(
    `select (select count(*)::int from workflow_jobs) as jobs, (select count(*)::int from reviews) as reviews,
            (select attempts from workflow_jobs) as attempts`,
  )
  assert.deepEqual(rows, [{ jobs: 1, reviews: 1, attempts: 1 }])
})

test('a reload of the worker leaves a running review and its git alone until the grace is over', async (t) => {
  const repository = makeRepository(t, FILES)
  const tools = mkdtempSync(path.join(tmpdir(), 'kodus-slow-git-'))
  t.after(() => rmSync(tools, { recursive: true, force: true }))
  const slow = path.join(tools, 'slow')
  const running = path.join(tools, 'running')
  const realGit = (await run('/bin/sh', ['-c', 'command -v git'])).stdout.trim()
  const script = `#!/bin/sh\nif mv ${slow} ${running} 2>/dev/null; then sleep 3; fi\nexec ${realGit} "$@"\n`
  writeFileSync(path.join(tools, 'git'), script, { mode: 0o755 })

  const { pm2, db, receiver } = await open(t, {
    settings: { GIT_REPOSITORY_ROOTS: repository.root, WORKER_GRACE_SECONDS: '60' },
    env: { PATH: `${tools}:${process.env.PATH}` },
  })
  await pm2.start('--only', 'webhook-handler,worker')
  const before = await only(pm2, 'worker')
  writeFileSync(slow, '')
  const { path: where, base, head } = repository
  const { jobId } = await sendWebhook(receiver, { repository: where, base, head })
  while (!existsSync(running)) await sleep(20)

  await pm2.done('reload', 'worker')
  assert.deepEqual(await moves(db, jobId), ['PENDING', 'PROCESSING', 'COMPLETED'])
  assert.notEqual((await only(pm2, 'worker')).pid, before.pid)
})

test('a component that cannot start says why in its log, and runs once the checkout’s .env is mended', async (t) => {
  const { pm2, url, receiver } = await open(t, {
    settings: { DATABASE_URL: '' },
    // What the shell has is not a setting: PM2 would keep it, and write it down.
    env: { DATABASE_URL: 'postgresql://shell.example/none', GIT_WEBHOOK_SECRET: 'of the shell' },
  })
  const names = ['webhook-handler', 'api-rest', 'worker']
  const logged = (matches: (line: LogLine) => boolean) => names.every((name) => pm2.log(name).some(matches))
  await pm2.start()
  while (!logged(({ code }) => code === 'CONFIG_MISSING')) await sleep(50)
  assert.ok(names.every((name) => pm2.log(name).every(({ msg }) => msg === 'DATABASE_URL is not set.')))

  pm2.set({ DATABASE_URL: url })
  while (!logged(({ msg }) => msg.endsWith(' ready'))) await sleep(50)
  const { status } = await sendWebhook(receiver, {
    repository: 'https://git.example/a.git',
    base: 'a',
    head: 'b',
  })
  assert.equal(status, 202, 'it was signed with the secret of the .env')

  await pm2.done('save')
  await pm2.done('reloadLogs')
  const { stdout } = await pm2.done('jlist')
  const logs = names.flatMap(pm2.log)
  for (const line of logs) {
    assert.ok(line.level && line.time && names.includes(line.component) && line.msg, JSON.stringify(line))
  }
  const written = [stdout, pm2.read('dump.pm2'), pm2.read('pm2.log'), JSON.stringify(logs)]
  for (const secret of [SECRET, url, 'of the shell', 'shell.example']) {
    assert.ok(!written.some((text) => text.includes(secret)), secret)
  }
  assert.equal(statSync(pm2.home).mode & 0o077, 0)

  // As rotation by `copytruncate` does.
  await pm2.done('flush')
  await pm2.done('kill')
  for (const name of names) {
    const said = pm2.log(name).map(({ msg }) => msg)
    assert.ok(!said.some((msg) => msg.endsWith(' ready')), 'what was there before is gone')
    assert.match(said.at(-1) ?? '', / stopped$/, 'the last line of a process is there')
    assert.equal(pm2.read(`logs/${name}-error.log`), '')
  }
})

test('when PM2 itself is killed, no process of it stays behind, and it starts again', async (t) => {
  const { pm2 } = await open(t)
  await pm2.start()
  const pids = (await pm2.list()).map(({ pid }) => pid)
  process.kill(pm2.daemonPid(), 'SIGKILL')
  while (pids.some(isAlive)) await sleep(20)
  await pm2.start()
  assert.deepEqual((await pm2.list()).map(isOnline), [true, true, true, true])
})

test('a PM2 of the machine’s own runs the components too, and writes down nothing of the shell', async (t) => {
  const { pm2 } = await open(t)
  const env = { DATABASE_URL: 'postgresql://shell.example/none', GITHUB_TOKEN: 'of the shell' }
  const { code } = await pm2.direct(env, 'start', CONFIG, '--only', 'api-rest')
  assert.equal(code, 0)
  assert.deepEqual((await pm2.list()).map(isOnline), [true])
  assert.match(pm2.log('api-rest').at(-1)?.msg ?? '', / ready$/)
  await pm2.done('save')
  assert.doesNotMatch(pm2.read('dump.pm2'), /shell\.example|of the shell/)
})

test('a PM2 whose Node is too old says what to do, in one message', async (t) => {
  const { pm2 } = await open(t)
  const old =
    'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.20.2" } })'
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(old)}` }

  // A PM2 of the machine's own, say.
  const { code, stdout, stderr } = await pm2.direct(env, 'start', CONFIG)
  assert.equal(code, 1)
  assert.match(stderr, /^PM2_NODE_TOO_OLD: This PM2 runs on Node 20\.20\.2, .*\n.*npm run pm2 -- start .*\n$/)
  assert.doesNotMatch(stdout + stderr, /malformated|\bat /)
  await pm2.done('kill')

  // Its daemon is older than its command.
  await pm2.direct(env, 'ping')
  await pm2.start('--only', 'webhook-handler')
  while (pm2.log('webhook-handler').length === 0) await sleep(50)
  const [line] = pm2.log('webhook-handler')
  assert.equal(line?.code, 'PM2_NODE_TOO_OLD')
  assert.equal(line?.component, 'webhook-handler')
})

function isOnline({ status }: Listed): boolean {
  return status === 'online'
}

async function listed(pm2: Pm2, matches: (apps: Listed[]) => boolean): Promise<Listed[]> {
  for (;;) {
    const apps = await pm2.list()
    if (matches(apps)) return apps
    await sleep(100)
  }
}

async function only(pm2: Pm2, name: string): Promise<Listed> {
  const apps = (await pm2.list()).filter((app) => app.name === name)
  assert.equal(apps.length, 1)
  return apps[0] as Listed
}

async function finished(db: pg.Pool, jobId: string): Promise<void> {
  for (;;) {
    const { rows } = await db.query('select finished_at from workflow_jobs where id = $1', [jobId])
    if (rows[0]?.finished_at) return
    await sleep(50)
  }
}

/** The states that a job has been in, one after the other. */
async function moves(db: pg.Pool, jobId: string): Promise<string[]> {
  const { rows } = await db.query<{ to: string }>(
    `select to_status as to from workflow_job_events
     where job_id = $1 and from_status is distinct from to_status order by id`,
    [jobId],
  )
  return rows.map(({ to }) => to)
}
