import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { setPriority } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePort } from '../../src/cli/stack/free-port.ts'
import { ownDelivery } from '../../src/jobs/review-request.ts'
import { silentLog } from '../../src/lib/log.ts'
import { announceJobs } from '../../src/store/announce-jobs.ts'
import { createApiKey } from '../../src/store/create-api-key.ts'
import { type DatabasePool, openDatabase } from '../../src/store/database.ts'
import { recordDeliveries } from '../../src/store/record-deliveries.ts'
import type { Load } from '../ingest/load.ts'
import { WEBHOOK_SECRET } from '../ingest/payload.ts'
import type { CpuGroups } from '../support/cpu-groups.ts'
import { cpuSeconds } from '../support/cpu-time.ts'
import type { Postgres } from '../support/servers.ts'
import { COMPONENT, type StartedProcess, startProcess } from '../support/start-process.ts'
import type { LargeChange } from './large-change.ts'

export interface Scene {
  /** The handler gets as many webhooks as it can take; otherwise a few. */
  storm: boolean
  /** Every slot of the worker reviews a large change. */
  burning: boolean
  /** A share of the processors for each process; otherwise they all compete. */
  groups: CpuGroups | undefined
}

export interface Surroundings {
  directory: string
  postgres: Postgres
  change: LargeChange
  seconds: number
}

export interface Measured {
  /** Milliseconds. */
  api: { p50: number; p99: number; longest: number }
  webhooks: { perSecond: number; p99: number; refused: number }
  /** Processors in use on average. */
  cores: { handler: number; api: number; worker: number; postgres: number }
}

const SLOTS = 4
const API_REQUESTS_PER_SECOND = 50
const WEBHOOKS_PER_SECOND = 50
/** Above everybody else's, so that the instrument does not wait for a processor: only root may. */
const PROBE_PRIORITY = -10

const script = (name: string) => fileURLToPath(new URL(name, import.meta.url))

/** Starts all three components on an empty database, sets the scene, and asks the API meanwhile. */
export async function measure(name: string, scene: Scene, surroundings: Surroundings): Promise<Measured> {
  const { directory, postgres, change, seconds } = surroundings
  const url = await postgres.createDatabase(name, { migrated: true })
  const db = openDatabase({ url, component: 'bench', maxConnections: 1, log: silentLog })
  const started: StartedProcess[] = []
  const start = async (group: string, program: string, env: Record<string, string>) => {
    const one = await startProcess(program, { env, logFile: path.join(directory, `${name}-${group}.log`) })
    started.push(one)
    scene.groups?.add(group, one.pid)
    return one
  }
  try {
    const { key } = await createApiKey(db, { name: 'bench', scopes: ['read'] })
    const job = await recordReview(db, change)
    await stopClaiming(db)

    const [webhookPort, apiPort] = [String(await freePort()), String(await freePort())]
    const component = (type: string) =>
      start(type, COMPONENT, {
        COMPONENT_TYPE: type,
        DATABASE_URL: url,
        WEBHOOK_PORT: webhookPort,
        API_PORT: apiPort,
        WEBHOOK_HOST: '127.0.0.1',
        API_HOST: '127.0.0.1',
        GITHUB_WEBHOOK_SECRET: WEBHOOK_SECRET,
        GIT_REPOSITORY_ROOTS: directory,
        WORKER_SLOTS: String(SLOTS),
      })
    const [handler, api, worker] = [
      await component('webhook'),
      await component('api'),
      await component('worker'),
    ]
    const load: Load = { seconds: seconds + 2, ...(scene.storm ? {} : { rate: WEBHOOKS_PER_SECOND }) }
    const webhooks = await start('clients', script('webhook-storm.ts'), {
      PORT: webhookPort,
      LOAD: JSON.stringify(load),
    })
    const probe = await start('probe', script('api-probe.ts'), {
      URL: `http://127.0.0.1:${apiPort}`,
      KEY: key,
      JOB: job,
      RATE: String(API_REQUESTS_PER_SECOND),
      SECONDS: String(seconds),
    })
    raisePriority(probe.pid)
    scene.groups?.add('postgres', postgres.pid)

    if (scene.burning) await fillSlots(db, change)
    const pids = [handler.pid, api.pid, worker.pid, postgres.pid]
    const before = cpuSeconds(pids)
    const began = performance.now()
    const [apiAnswers, webhookAnswers] = await Promise.all([tell(probe), tell(webhooks)])
    const elapsed = (performance.now() - began) / 1000
    const cores = cpuSeconds(pids).map((after, i) => (after - (before[i] ?? 0)) / elapsed)
    if (scene.burning && (await running(db)) < SLOTS)
      throw new Error('A review ended too early: the slots did not burn all along.')
    return {
      api: apiAnswers as Measured['api'],
      webhooks: webhookAnswers as Measured['webhooks'],
      cores: { handler: cores[0] ?? 0, api: cores[1] ?? 0, worker: cores[2] ?? 0, postgres: cores[3] ?? 0 },
    }
  } finally {
    // Reviews of the bench are of no use to anybody: nobody waits for them.
    for (const one of started.reverse()) await one.kill()
    await db.end()
    await postgres.dropDatabase(name)
  }
}

/** Lets the worker claim a review for each slot, and then no more: what the storm brings in stays in the queue. */
async function fillSlots(db: DatabasePool, change: LargeChange): Promise<void> {
  for (let n = 1; n < SLOTS; n++) await recordReview(db, change)
  await db.query(`delete from stops`)
  await announceJobs(db)
  while ((await running(db)) < SLOTS) await sleep(50)
  await stopClaiming(db)
}

async function recordReview(db: DatabasePool, { repository, base, head }: LargeChange): Promise<string> {
  const delivery = {
    ...ownDelivery('git', randomUUID()),
    request: {
      repository,
      organisation: 'local',
      pullRequest: null,
      base,
      head,
      title: 'A large change',
      description: '',
      branch: null,
      sender: null,
      action: 'requested',
    },
  }
  await recordDeliveries(db, [delivery], 0)
  return delivery.jobId
}

async function stopClaiming(db: DatabasePool): Promise<void> {
  await db.query(`insert into stops (name, actor) values ('claiming', 'bench')`)
}

async function running(db: DatabasePool): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    `select count(*)::int as count from workflow_jobs where status = 'PROCESSING'`,
  )
  return rows[0]?.count ?? 0
}

async function tell({ child }: StartedProcess): Promise<unknown> {
  const answer = once(child, 'message')
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('A client ended; its log says why.')))
  child.send('go')
  const [message] = await Promise.race([answer, ended])
  return message
}

function raisePriority(pid: number): void {
  try {
    setPriority(pid, PROBE_PRIORITY)
  } catch {
    console.error(
      'The probe has no higher priority here: what it measures includes its own wait for a processor.',
    )
  }
}
