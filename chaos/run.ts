import { once } from 'node:events'
import { chmodSync, globSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool } from 'pg'
import { PERMISSIONS } from '../src/cli/setup/permissions.ts'
import { freePort } from '../src/cli/stack/free-port.ts'
import type { ComponentType } from '../src/components.ts'
import { createApiKey } from '../src/store/create-api-key.ts'
import { type GitHub, githubDescription, startGitHub } from '../test/github/server.ts'
import { startLlmServer } from '../test/support/llm-server.ts'
import { type Courier, startCourier } from './courier.ts'
import { postedReviews } from './forge-log.ts'
import { createNetwork, type Service } from './network.ts'
import { startOperator } from './operator.ts'
import type { ChaosOptions } from './options.ts'
import { judge, type Verdict } from './oracle.ts'
import { createRandom } from './random.ts'
import { planFaults } from './schedule.ts'
import { createScope, type Scope } from './scope.ts'
import { openObserver, startBroker, startPostgres } from './stores.ts'
import { tellStories, webhooksOf } from './stories.ts'
import { createStriker, type Striker, slowModel } from './strike.ts'
import { type Supervised, supervise } from './supervisor.ts'

/** What came out of a run. */
export interface Outcome {
  options: ChaosOptions
  verdict: Verdict
  figures: Figures
  struck: Striker['struck']
  /** Where the logs of all processes are; undefined when they were removed. */
  directory: string | undefined
}

export interface Figures {
  webhooks: number
  attempts: number
  accepted: number
  unavailable: number
  unreachable: number
  acceptedByBroker: number
  slowestAnswerMs: number
  jobs: Record<string, number>
  failures: Record<string, number>
  reviews: number
  pendingReviews: number
  takeovers: number
  handBacks: number
  retries: number
  replays: number
  starts: number
  faults: number
  hastened: number
  sendingSeconds: number
  quietSeconds: number
}

const TICK_MS = 200
/** Longer than everything can be away at once: what waits then waits for ever. */
const PATIENCE_MS = 120_000
const NEEDS: Record<ComponentType, Service[]> = {
  webhook: ['database', 'broker'],
  api: ['database'],
  worker: ['database', 'broker', 'forge', 'model'],
}

/** Runs the whole product while everything around it fails, and says which promises it kept. */
export async function runChaos(
  options: ChaosOptions,
  say: (line: string) => void,
  interrupt: AbortSignal = new AbortController().signal,
): Promise<Outcome> {
  const scope = createScope()
  const directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'kodus-chaos-')))
  chmodSync(directory, 0o755) // The database's own account has to get through.
  let keep = true
  try {
    const interrupted = once(interrupt, 'abort').then((): never => {
      throw new Error('interrupted')
    })
    const outcome = await Promise.race([runIn(scope, directory, options, say), interrupted])
    keep = options.keep || Object.values(outcome.verdict).some((broken) => broken.length > 0)
    return { ...outcome, directory: keep ? directory : undefined }
  } finally {
    await scope.close()
    const leftovers = keep ? ['postgres', 'rabbitmq', 'cache'] : ['']
    for (const name of leftovers) rmSync(path.join(directory, name), { recursive: true, force: true })
  }
}

async function runIn(scope: Scope, directory: string, options: ChaosOptions, say: (line: string) => void) {
  const reason = await githubDescription()
  if (reason) throw new Error(reason)
  const random = createRandom(options.seed)
  const [storyRandom, faultRandom, courierRandom, operatorRandom, modelRandom] = [
    random.fork(),
    random.fork(),
    random.fork(),
    random.fork(),
    random.fork(),
  ]

  const database = await startPostgres(scope, directory)
  const broker = options.queue === 'rabbitmq' ? await startBroker(scope, directory) : undefined
  const permissions = Object.fromEntries(PERMISSIONS.map(({ name, access }) => [name, access]))
  const github = await startForge(scope, permissions)
  const thinks = slowModel(modelRandom, options.thinking)
  const model = await startLlmServer(thinks)
  scope.after(() => model.close())

  const plan = (['webhook', 'api', 'worker'] as const).flatMap((type) =>
    Array.from({ length: options.processes[type] }, (_, nth) => ({
      name: `${type}-${nth + 1}`,
      type,
      needs: NEEDS[type],
    })),
  )
  const targetOf = (url: string) => ({ host: '127.0.0.1', port: Number(new URL(url).port) })
  const network = await createNetwork(scope, plan, {
    database: database.target,
    ...(broker && { broker: broker.target }),
    forge: targetOf(github.origin),
    model: targetOf(model.baseUrl),
  })
  const db = await openObserver(scope, database.url)
  await db.query(readFileSync(new URL('audit.sql', import.meta.url), 'utf8'))
  const { key } = await createApiKey(db, { name: 'chaos', scopes: ['read', 'write'] })

  const ports = new Map<string, number>()
  for (const { name } of plan) ports.set(name, await freePort())
  const processes = new Map<string, Supervised>()
  for (const { name, type, needs } of plan) {
    const port = String(ports.get(name))
    const env: Record<string, string> = {
      DATABASE_URL: network.route(name, 'database', database.url),
      ...(broker && needs.includes('broker') && { RABBITMQ_URL: network.route(name, 'broker', broker.url) }),
      GITHUB_WEBHOOK_SECRET: github.app.webhookSecret,
      ...(type === 'webhook' && { WEBHOOK_HOST: '127.0.0.1', WEBHOOK_PORT: port }),
      ...(type === 'api' && { API_HOST: '127.0.0.1', API_PORT: port, API_DRAIN_SECONDS: '0' }),
      ...(type === 'worker' && {
        GITHUB_API_URL: network.route(name, 'forge', github.apiUrl),
        GITHUB_APP_ID: String(github.app.id),
        GITHUB_APP_PRIVATE_KEY: github.app.privateKey,
        GIT_CACHE_DIRECTORY: path.join(directory, 'cache', name),
        LLM_BASE_URL: network.route(name, 'model', model.baseUrl),
        LLM_MODEL: 'fake',
        WORKER_GRACE_SECONDS: '5',
        TMPDIR: temporaryOf(directory, name),
      }),
      ...(options.sabotage && { CHAOS_SABOTAGE: options.sabotage }),
    }
    processes.set(name, supervise({ name, type, env, logs: path.join(directory, 'logs') }))
  }
  scope.after(() => Promise.all([...processes.values()].map((process) => process.end())))
  await Promise.all([...processes.values()].map((process) => process.ready()))

  const addresses = (type: ComponentType, suffix: string) =>
    plan
      .filter((each) => each.type === type)
      .map(({ name }) => `http://127.0.0.1:${ports.get(name)}${suffix}`)
  const courier = await startCourier(scope, addresses('webhook', '/webhooks/github'), courierRandom)
  github.webhooks.deliverTo(courier.url)
  const stories = tellStories(github, options.webhooks, storyRandom)
  const faults = planFaults({ ...options, webhooks: webhooksOf(stories.steps) }, plan, faultRandom)
  const striker = createStriker({ processes, database, broker, network, github, model, thinks }, (line) =>
    say(`  ${line}`),
  )
  const operator = startOperator(addresses('api', ''), key, operatorRandom)
  say(
    `seed ${options.seed}: ${options.webhooks} webhooks, ${faults.length} faults; logs in ${path.join(directory, 'logs')}`,
  )

  const began = performance.now()
  let told = 0
  let openJobs = 0
  let due = 0
  let lastTick = began
  let lastTold = began
  let isPatient = true
  let nextSay = began + 30_000
  const forget = () => {
    model.requests.length = 0
    github.requests.length = 0
    github.webhooks.deliveries.length = 0
  }
  while (stories.steps.length > 0) {
    await sleep(TICK_MS)
    const now = performance.now()
    openJobs = (await countOpen(db)) ?? openJobs
    // Jobs that are stuck must not keep the run from its end.
    isPatient &&= now - lastTold < PATIENCE_MS
    // Nor more at once than a second's worth: what a slow machine is behind with would hold up all that runs in here.
    if (openJobs < options.backlog || !isPatient)
      due = Math.min(options.rate, due + ((now - lastTick) / 1000) * options.rate)
    lastTick = now
    while (due >= 1 && stories.steps.length > 0) {
      const step = stories.steps.shift()
      if (!step) break
      step.act()
      told += step.webhooks
      lastTold = now
      due -= step.webhooks
      while (faults[0] && faults[0].at <= told) striker.strike(faults.shift() as (typeof faults)[number])
    }
    if (github.webhooks.deliveries.length > 500) forget()
    if (now > nextSay) {
      say(`${told} webhooks told, ${courier.stats.accepted} accepted, ${openJobs} jobs open`)
      nextSay = now + 30_000
    }
  }
  await github.webhooks.settled()
  const sent = performance.now()

  await striker.heal()
  await operator.stop()
  courier.calm()
  await Promise.all([...processes.values()].map((process) => process.ready()))
  const hastened = await untilQuiet({ db, courier, options, say })
  forget()
  const quiet = performance.now()
  const ends = await Promise.all(
    [...processes.values()].map(async (process) => ({ process, ...(await process.stop()) })),
  )
  const crashes = [...processes.values()].flatMap((process) => process.crashes)
  for (const { process, code, signal } of ends) {
    if (code !== 0 && !crashes.some((each) => each.startsWith(process.name)))
      crashes.push(`${process.name}: ${signal ?? `code ${code}`}`)
  }

  const { posted, pending } = postedReviews(stories.pulls)
  const violations = github.takeViolations().map(({ operation, message }) => `${operation}: ${message}`)
  const verdict = await judge({
    db,
    broker,
    courier,
    pulls: stories.pulls,
    posted,
    violations,
    crashes: [...crashes, ...striker.failures],
  })
  const figures = await readFigures(db, courier, {
    acceptedByBroker: countInLogs(path.join(directory, 'logs'), '"by":"broker"'),
    reviews: posted.length,
    pendingReviews: pending,
    starts: [...processes.values()].reduce((sum, process) => sum + process.starts(), 0),
    faults: [...striker.struck.values()].reduce((sum, { times }) => sum + times, 0),
    hastened,
    sendingSeconds: Math.round((sent - began) / 1000),
    quietSeconds: Math.round((quiet - sent) / 1000),
  })
  return { options, verdict, figures, struck: striker.struck }
}

/** Its hooks run before the rest of the run is over, except for the one that fails a test: that is judged here. */
async function startForge(scope: Scope, permissions: Record<string, 'read' | 'write'>): Promise<GitHub> {
  const github = await startGitHub(scope.context, { permissions })
  github.limits.setPrimary(1_000_000_000, 7 * 24 * 3600)
  scope.after(() => void github.takeViolations())
  return github
}

function temporaryOf(directory: string, name: string): string {
  const temporary = path.join(directory, 'cache', `${name}-tmp`)
  mkdirSync(temporary, { recursive: true })
  return temporary
}

/** Undefined while the database is away. */
async function countOpen(db: Pool): Promise<number | undefined> {
  try {
    const { rows } = await db.query<{ open: number }>(
      `select count(*)::int as open from workflow_jobs where status in ('PENDING', 'PROCESSING', 'RETRYING')`,
    )
    return rows[0]?.open
  } catch {
    return undefined
  }
}

/** Until every delivery is accepted and every job has ended, for a second; or the time for it is over. */
async function untilQuiet({
  db,
  courier,
  options,
  say,
}: {
  db: Pool
  courier: Courier
  options: ChaosOptions
  say: (line: string) => void
}): Promise<number> {
  const limit = performance.now() + options.quietMinutes * 60_000
  let hastened = 0
  let quietSince: number | undefined
  let nextSay = performance.now() + 15_000
  while (performance.now() < limit) {
    const open = await countOpen(db)
    const isQuiet = open === 0 && courier.open() === 0
    quietSince = isQuiet ? (quietSince ?? performance.now()) : undefined
    if (quietSince !== undefined && performance.now() - quietSince > 2_000) break
    if (options.hasten) hastened += await hasten(db).catch(() => 0)
    if (performance.now() > nextSay) {
      say(`quiet: ${open} jobs open, ${courier.open()} webhooks not accepted yet`)
      nextSay = performance.now() + 15_000
    }
    await sleep(250)
  }
  return hastened
}

/** Lets no retry wait longer than a moment. One whose time is not to come within ten minutes is left: it is stuck. */
async function hasten(db: Pool): Promise<number> {
  const { rowCount } = await db.query(
    `update workflow_jobs set run_at = now(), due_at = now()
     where status = 'RETRYING' and greatest(run_at, due_at) between now() + interval '2 s' and now() + interval '10 min'`,
  )
  return rowCount ?? 0
}

async function readFigures(
  db: Pool,
  { stats, sent }: Courier,
  more: Pick<
    Figures,
    | 'acceptedByBroker'
    | 'reviews'
    | 'pendingReviews'
    | 'starts'
    | 'faults'
    | 'hastened'
    | 'sendingSeconds'
    | 'quietSeconds'
  >,
): Promise<Figures> {
  const count = async (sql: string) => {
    const { rows } = await db.query<{ key: string; count: number }>(sql)
    return Object.fromEntries(rows.map(({ key, count }) => [key, count]))
  }
  const moves = await count(
    `select coalesce(from_status, 'NEW') || ' ' || to_status as key, count(*)::int from workflow_job_events where stage is null group by 1`,
  )
  const lapses = await count(
    `select 'lapses' as key, count(*)::int from workflow_job_events
     where stage is null and from_status = 'PROCESSING' and to_status = 'RETRYING' and reason like '%stopped renewing%'`,
  )
  const takeovers = lapses.lapses ?? 0
  return {
    webhooks: sent.size,
    attempts: stats.attempts,
    accepted: stats.accepted,
    unavailable: stats.unavailable,
    unreachable: stats.unreachable,
    slowestAnswerMs: stats.slowestMs,
    jobs: await count('select status as key, count(*)::int from workflow_jobs group by 1'),
    failures: await count(
      `select coalesce(error ->> 'code', 'none') as key, count(*)::int from workflow_jobs where status = 'FAILED' group by 1`,
    ),
    takeovers,
    handBacks: moves['PROCESSING PENDING'] ?? 0,
    retries: (moves['PROCESSING RETRYING'] ?? 0) - takeovers,
    replays: (moves['FAILED PENDING'] ?? 0) + (moves['CANCELLED PENDING'] ?? 0),
    ...more,
  }
}

/** How many lines of all logs have this in them. */
function countInLogs(logs: string, text: string): number {
  const files = globSync('*.log', { cwd: logs })
  return files.reduce(
    (sum, file) => sum + readFileSync(path.join(logs, file), 'utf8').split(text).length - 1,
    0,
  )
}
