import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { chmodSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseEnv } from 'node:util'
import { COMPONENTS, CPU_UNITS_PER_VCPU } from '../../src/components.ts'
import { createLog } from '../../src/lib/log.ts'
import { createShutdown, type Shutdown } from '../../src/lib/shutdown.ts'
import { gitWebhook } from '../support/git-webhook.ts'
import { missing } from '../support/missing.ts'
import { makeRepository, type TestRepository } from '../support/repository.ts'
import { type Engine, startEngine } from './engine.ts'
import { buildProductImages } from './product-images.ts'
import { runCommand } from './run-command.ts'
import { createScope } from './scope.ts'
import { ensureServiceImage } from './service-images.ts'

// Part of `npm run test:containers`: the whole installation by `npm run compose`, on a real engine.

const COMPOSE = fileURLToPath(new URL('../../infra/compose/run-compose.ts', import.meta.url))
const COMPOSE_FILE = fileURLToPath(new URL('../../infra/compose/compose.yaml', import.meta.url))
/** Half of what the file has: an image may have to be built first. */
const LIMIT_MS = 280_000
const FINISHED_WITHIN_MS = 60_000
/** Given to the installation here, beside those it makes: what must not be seen where it is not needed. */
const GIVEN = { LLM_API_KEY: 'given-model-key', GITHUB_WEBHOOK_SECRET: 'given-github-secret' }
/** Who may see a secret: the one that asks the model, the one that checks signatures, those that use the store. */
const MAY_SEE: Readonly<Record<string, readonly string[]>> = {
  LLM_API_KEY: ['worker'],
  GITHUB_WEBHOOK_SECRET: ['webhook-handler'],
  GIT_WEBHOOK_SECRET: ['webhook-handler'],
  RABBITMQ_PASSWORD: ['webhook-handler', 'worker', 'rabbitmq'],
  POSTGRES_PASSWORD: ['webhook-handler', 'api-rest', 'worker', 'postgres'],
}

interface Container {
  id: string
  service: string
  /** What `docker inspect` says. */
  facts: Inspected
}

interface Inspected {
  State: { Pid: number; StartedAt: string; Running: boolean; Health?: { Status: string } }
  RestartCount: number
  Config: { StopTimeout?: number; User: string; Env: string[] }
  HostConfig: {
    NanoCpus: number
    Memory: number
    ReadonlyRootfs: boolean
    RestartPolicy: { Name: string }
    LogConfig: { Config: Record<string, string> }
  }
  NetworkSettings: { Ports: Record<string, { HostIp: string; HostPort: string }[] | null> }
}

const engine = await startEngine()
const skip = 'missing' in engine ? missing(engine.missing) : false

test('an installation by compose', { skip, timeout: LIMIT_MS }, async (t) => {
  assert.ok(!('missing' in engine))
  const shutdown = createShutdown(createLog('test', 'warn'))
  shutdown.add('the engine', () => engine.close())
  t.after(() => shutdown.run())
  const it = await install(engine, shutdown, repositoryOf(t))

  await t.test('does not start without its secrets, and says what makes them', async () => {
    const { COMPOSE_ENV_FILES: _, ...env } = it.env
    const plain = runCommand('docker', ['compose', '--file', COMPOSE_FILE, 'up', '--detach'], {
      env,
      cwd: tmpdir(),
    })
    await assert.rejects(plain, /PASSWORD[^\n]*is not set\. `npm run compose -- up` makes the secrets/)
  })

  await t.test('does not build what is asked for by the name of another version', async () => {
    const env = { ...it.env, KODUS_VERSION: 'another' }
    await assert.rejects(runCommand(process.execPath, [COMPOSE, 'up'], { env }), /IMAGE_MISSING: .* another/)
  })

  await t.test('comes up from nothing by one command, all of it healthy', async () => {
    await it.run('up')
    const containers = await it.containers()
    assert.deepEqual(containers.map(({ service }) => service).sort(), [
      'api-rest',
      'postgres',
      'rabbitmq',
      'webhook-handler',
      'worker',
    ])
    for (const { service, facts } of containers) assert.equal(facts.State.Health?.Status, 'healthy', service)
    assert.equal(statSync(it.settingsFile).mode & 0o777, 0o600)
  })

  await t.test('turns a signed webhook into a completed review', async () => {
    const job = await it.send()
    assert.equal(await it.finished(job), 'COMPLETED')
  })

  await t.test(
    'gives each container what the table says, a root file system it cannot write to, and no root',
    async () => {
      const containers = await it.containers()
      for (const { name, task, stop } of Object.values(COMPONENTS)) {
        const facts = containers.find(({ service }) => service === name)?.facts
        assert.ok(facts)
        assert.deepEqual(
          {
            cpus: facts.HostConfig.NanoCpus / 1e9,
            megabytes: facts.HostConfig.Memory / 1024 ** 2,
            seconds: facts.Config.StopTimeout,
            readOnly: facts.HostConfig.ReadonlyRootfs,
            restart: facts.HostConfig.RestartPolicy.Name,
          },
          {
            cpus: task.cpuUnits / CPU_UNITS_PER_VCPU,
            megabytes: task.memoryMb,
            seconds: stop.grantedSeconds,
            readOnly: true,
            restart: 'unless-stopped',
          },
          name,
        )
        assert.ok(facts.HostConfig.LogConfig.Config['max-size'], `${name}'s log has an end`)
      }
      for (const { name } of Object.values(COMPONENTS)) {
        const inside = (...command: string[]) => it.compose('exec', '--no-TTY', name, ...command)
        assert.match(await inside('id', '-u'), /^[1-9]\d+$/, `${name} is not root`)
        await assert.rejects(inside('touch', '/app/file'), /Read-only file system/, name)
      }
    },
  )

  await t.test('is reached from this machine alone', async () => {
    const published = (await it.containers()).flatMap(({ service, facts }) =>
      Object.values(facts.NetworkSettings.Ports).flatMap((ports) =>
        (ports ?? []).map(({ HostIp }) => [service, HostIp]),
      ),
    )
    assert.deepEqual(published.sort(), [
      ['api-rest', '127.0.0.1'],
      ['postgres', '127.0.0.1'],
      ['rabbitmq', '127.0.0.1'],
      ['webhook-handler', '127.0.0.1'],
    ])
  })

  await t.test('shows a secret only to the components that need it', async () => {
    const settings = { ...it.settings(), ...GIVEN }
    const containers = await it.containers()
    const seen = Object.keys(MAY_SEE).map((name) => {
      const value = (settings as Record<string, string>)[name] ?? ''
      assert.ok(value.length >= 10)
      const services = containers.filter(({ facts }) => JSON.stringify(facts).includes(value))
      return [name, services.map(({ service }) => service).sort()]
    })
    const may = Object.entries(MAY_SEE).map(([name, services]) => [name, [...services].sort()])
    assert.deepEqual(seen, may)
  })

  await t.test(
    'runs three workers when told to; one that crashes comes back, and the others do not notice',
    async () => {
      const before = readFileSync(it.settingsFile)
      await it.run('up', '--scale', 'worker=3')
      assert.deepEqual(readFileSync(it.settingsFile), before)
      const workers = async () => (await it.containers()).filter(({ service }) => service === 'worker')
      const [crashing, ...others] = await workers()
      assert.ok(crashing)
      for (const { facts } of [crashing, ...others]) assert.equal(facts.State.Health?.Status, 'healthy')
      assert.equal(others.length, 2)

      await engine.docker('exec', crashing.id, 'sh', '-c', 'kill -KILL $(cat /proc/1/task/1/children)')
      assert.equal(await it.finished(await it.send()), 'COMPLETED')
      await until('the worker is back', async () => {
        const back = (await workers()).find(({ id }) => id === crashing.id)?.facts
        return back?.RestartCount === 1 && back.State.Health?.Status === 'healthy'
      })
      const life = ({ id, facts }: Container) => [
        id,
        facts.State.Pid,
        facts.State.StartedAt,
        facts.RestartCount,
      ]
      const now = (await workers()).filter(({ id }) => id !== crashing.id)
      assert.deepEqual(now.map(life), others.map(life))
    },
  )

  await t.test('keeps its data when it is taken down, and finds them with the secrets it had', async () => {
    const job = await it.send()
    assert.equal(await it.finished(job), 'COMPLETED')
    const settings = readFileSync(it.settingsFile)
    await it.run('down')
    assert.deepEqual(await it.containers(), [])

    await it.run('up')
    assert.deepEqual(readFileSync(it.settingsFile), settings)
    assert.equal(await it.finished(job), 'COMPLETED')
  })

  await t.test('makes no new secrets for data that has lost its own', async () => {
    const kept = `${it.settingsFile}.kept`
    renameSync(it.settingsFile, kept)
    await assert.rejects(it.run('up'), /COMPOSE_SECRETS_LOST/)
    assert.equal(existsSync(it.settingsFile), false)
    renameSync(kept, it.settingsFile)
  })
})

function repositoryOf(t: TestContext): TestRepository {
  const repository = makeRepository(t, { base: { 'a.py': 'x = 1\n' }, head: { 'a.py': 'x = 2\n' } })
  chmodSync(repository.root, 0o755) // The worker is another account.
  return repository
}

/** An installation of its own, with images of this checkout and a repository; not yet started. */
async function install(engine: Engine, shutdown: Shutdown, repository: TestRepository) {
  const directory = mkdtempSync(path.join(tmpdir(), 'kodus-compose-'))
  shutdown.add('the settings', () => rmSync(directory, { recursive: true }))
  const images = await buildProductImages(engine)
  shutdown.add('the images', () => images.remove())
  const scope = createScope(engine)
  shutdown.add('the containers', () => scope.close())
  const settingsFile = path.join(directory, '.env')

  const env: Record<string, string> = {
    ...engine.env,
    ...GIVEN,
    COMPOSE_PROJECT_NAME: scope.prefix,
    COMPOSE_ENV_FILES: settingsFile,
    KODUS_VERSION: images.tag,
    POSTGRES_IMAGE: await ensureServiceImage(engine, 'postgres'),
    RABBITMQ_IMAGE: await ensureServiceImage(engine, 'rabbitmq'),
    WEBHOOK_PORT: '0', // Any that is free.
    API_PORT: '0',
    REPOSITORIES: repository.root,
  }
  const run = (...args: string[]) => runCommand(process.execPath, [COMPOSE, ...args], { env })
  const compose = async (...args: string[]) => (await run(...args)).trim()
  const settings = () => parseEnv(readFileSync(settingsFile, 'utf8'))
  let key: string | undefined

  /** Asks the API for a job's status until it is one of an end. */
  const finished = async (job: string): Promise<string> => {
    key ??= await compose('kodus', 'keys', 'create', 'this test')
    const url = `http://${await compose('port', 'api-rest', '3331')}/jobs/${job}`
    let status = ''
    await until(`job ${job} has ended`, async () => {
      const answer = await fetch(url, { headers: { authorization: `Bearer ${key}` } })
      assert.equal(answer.status, 200)
      status = ((await answer.json()) as { status: string }).status
      return !['PENDING', 'PROCESSING', 'RETRYING'].includes(status)
    })
    return status
  }
  return {
    env,
    settingsFile,
    settings,
    run,
    compose,
    finished,
    async containers(): Promise<Container[]> {
      const ids = (await compose('ps', '--quiet')).split('\n').filter(Boolean)
      if (ids.length === 0) return []
      const all: (Inspected & { Id: string })[] = JSON.parse(await engine.docker('inspect', ...ids))
      const label = (facts: Inspected) =>
        (facts.Config as unknown as { Labels: Record<string, string> }).Labels[
          'com.docker.compose.service'
        ] ?? ''
      return all.map((facts) => ({ id: facts.Id, service: label(facts), facts }))
    },
    /** A webhook as a forge sends it. @returns the job's id */
    async send(): Promise<string> {
      const head = repository.commit({ 'a.py': `x = '${randomUUID()}'\n` })
      const change = {
        repository: '/repositories/repository',
        base: repository.base,
        head,
        title: 'A change',
      }
      const answer = await fetch(`http://${await compose('port', 'webhook-handler', '3332')}/webhooks/git`, {
        method: 'POST',
        ...gitWebhook(change, settings().GIT_WEBHOOK_SECRET ?? ''),
      })
      assert.equal(answer.status, 202)
      return ((await answer.json()) as { jobId: string }).jobId
    },
  }
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + FINISHED_WITHIN_MS
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`Not within ${FINISHED_WITHIN_MS / 1000} s: ${what}`)
    await sleep(200)
  }
}
