import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Ajv } from 'ajv'
import { pino } from 'pino'
import { silentLog } from '../../src/lib/log.ts'
import { embeddedMetrics } from '../../src/lib/telemetry/embedded-metrics.ts'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { keepDeadLetter } from '../../src/store/keep-dead-letter.ts'
import { recordDeliveries } from '../../src/store/record-deliveries.ts'
import { tellCloudWatch } from '../../src/worker/tell-cloudwatch.ts'
import { createDatabase } from '../support/database.ts'
import { aDelivery } from '../support/deliveries.ts'
import { spawnComponent } from '../support/processes.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'

const LIMIT = { timeout: 60_000 }
const EVERY_MS = 10
const LIMITS = { perRepository: 8, perOrganisation: 32 }

/** What CloudWatch's specification of the format asks of a document, as far as a schema can say it. */
const name = (maxLength: number) => ({ type: 'string', minLength: 1, maxLength })
const closed = (properties: Record<string, object>, required = Object.keys(properties)) => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
})
const isDocument = new Ajv().compile({
  type: 'object',
  required: ['_aws'],
  properties: {
    _aws: closed({
      Timestamp: { type: 'integer', minimum: 1_500_000_000_000 },
      CloudWatchMetrics: {
        type: 'array',
        minItems: 1,
        items: closed({
          Namespace: name(1024),
          Dimensions: {
            type: 'array',
            minItems: 1,
            items: { type: 'array', maxItems: 30, items: name(250) },
          },
          Metrics: {
            type: 'array',
            minItems: 1,
            maxItems: 100,
            items: closed({ Name: name(1024), Unit: { enum: ['Count', 'Seconds'] } }),
          },
        }),
      },
    }),
  },
})

interface Document {
  _aws: {
    Timestamp: number
    CloudWatchMetrics: {
      Namespace: string
      Dimensions: string[][]
      Metrics: { Name: string; Unit: string }[]
    }[]
  }
  [target: string]: unknown
}

/** What CloudWatch makes of a line, which must be valid: as it reads it, by the references in the directives. */
function read(line: string) {
  const document = JSON.parse(line) as Document
  assert.ok(isDocument(document), JSON.stringify(isDocument.errors))
  const [directive, ...others] = document._aws.CloudWatchMetrics
  assert.ok(directive && others.length === 0)
  assert.equal(directive.Dimensions.length, 1)
  const dimensions = (directive.Dimensions[0] ?? []).map((key) => [key, document[key]])
  const values = directive.Metrics.map(({ Name }) => [Name, document[Name]])
  for (const [key, value] of dimensions) assert.equal(typeof value, 'string', String(key))
  for (const [key, value] of values) assert.ok(Number.isFinite(value), String(key))
  return {
    at: document._aws.Timestamp,
    namespace: directive.Namespace,
    dimensions: Object.fromEntries(dimensions),
    units: Object.fromEntries(directive.Metrics.map(({ Name, Unit }) => [Name, Unit])),
    values: Object.fromEntries(values) as Record<string, number>,
  }
}

/** Tells of that database; `lines` are those with metrics, `said` what else the log has. */
function tell(t: TestContext, db: Database) {
  const lines: string[] = []
  const said: string[] = []
  const write = (line: string) => void (line.includes('"_aws"') ? lines : said).push(line)
  const log = pino({ level: 'warn', base: { component: 'worker' } }, { write })
  const telling = tellCloudWatch({
    limits: LIMITS,
    db,
    slots: 4,
    environment: 'production',
    log,
    everyMs: EVERY_MS,
  })
  t.after(() => telling.stop())
  return { lines, said }
}

test(
  'the backlog is told as CloudWatch reads it, whatever the log level and beside its own fields',
  LIMIT,
  async (t) => {
    const { pool: db } = await createDatabase(t)
    await recordDeliveries(db, [aDelivery(), aDelivery(), aDelivery()], 0)
    await db.query(`update workflow_jobs set run_at = now() - interval '90 s'`)
    await db.query(`update workflow_jobs set run_at = now() + interval '90 s'
    where id = (select id from workflow_jobs limit 1)`)
    const dead = {
      queue: 'q',
      routingKey: 'k',
      reason: 'unreadable',
      messageId: null,
      body: Buffer.from('?'),
    }
    await keepDeadLetter(db, dead)

    const before = Date.now()
    const { lines } = tell(t, db)
    await until(() => lines.length > 0)
    const { at, values, ...rest } = read(lines[0] ?? '')
    assert.ok(at >= before && at <= Date.now())
    assert.deepEqual(rest, {
      namespace: 'Kodus',
      dimensions: { Environment: 'production' },
      units: {
        ClaimableJobs: 'Count',
        RunningJobs: 'Count',
        OldestClaimableJobSeconds: 'Seconds',
        DeadLetters: 'Count',
        WorkerSlots: 'Count',
      },
    })
    const { OldestClaimableJobSeconds: oldest = 0, ...counts } = values
    assert.deepEqual(counts, { ClaimableJobs: 2, RunningJobs: 0, DeadLetters: 1, WorkerSlots: 4 })
    assert.ok(oldest >= 90 && oldest < 900, `${oldest}`)
  },
)

test('it is told once in each minute of the clock', LIMIT, async (t) => {
  const { pool: db } = await createDatabase(t)
  t.mock.timers.enable({ apis: ['Date'], now: Date.parse('2026-01-31T12:00:58Z') })
  const { lines } = tell(t, db)
  for (const [moment, told] of [
    ['12:00:59', 1],
    ['12:01:00', 2],
    ['12:01:59', 2],
    ['12:02:30', 3],
  ] as const) {
    t.mock.timers.setTime(Date.parse(`2026-01-31T${moment}Z`))
    await until(() => lines.length >= told)
    await sleep(20 * EVERY_MS)
    assert.equal(lines.length, told, moment)
  }
})

test(
  'while the database is away nothing is told, least of all a zero; and then it is, in the same minute',
  LIMIT,
  async (t) => {
    const { url } = await createDatabase(t)
    const { hostname, port } = new URL(url)
    const proxy = await startTcpProxy(t, { host: hostname, port: Number(port) })
    const db = openDatabase({ url: proxy.through(url), component: 'test', maxConnections: 1, log: silentLog })
    t.after(() => db.end())
    proxy.cut()
    const { lines, said } = tell(t, db)
    await until(() => said.length > 0)
    await sleep(20 * EVERY_MS)
    assert.deepEqual(lines, [])
    assert.equal(said.length, 1, 'an outage is logged once')
    assert.match(said[0] ?? '', /no metrics for CloudWatch: /)
    proxy.restore()
    await until(() => lines.length > 0)
  },
)

test(
  'a worker tells it in one line of its own, also when it logs errors alone; unasked it tells nothing',
  LIMIT,
  async (t) => {
    const { url } = await createDatabase(t)
    const env = { DATABASE_URL: url, WORKER_SLOTS: '7', LOG_LEVEL: 'error' }
    const asked = { ...env, CLOUDWATCH_METRICS_ENVIRONMENT: 'staging' }
    const worker = await spawnComponent(t, { type: 'worker', env: asked })
    const line = await worker.line((one) => '_aws' in one)
    const { values, dimensions } = read(JSON.stringify(line))
    assert.deepEqual([values.WorkerSlots, dimensions], [7, { Environment: 'staging' }])
    assert.deepEqual([line.component, line.level, line.msg], ['worker', 'info', 'metrics for CloudWatch'])

    const silent = await spawnComponent(t, { type: 'worker', env })
    await silent.stop()
    assert.deepEqual(silent.lines, [])
  },
)

test('a value that CloudWatch refuses as a dimension stops the start', LIMIT, async (t) => {
  for (const value of [':production', 'produção']) {
    const env = { DATABASE_URL: 'postgresql://127.0.0.1:1/x', CLOUDWATCH_METRICS_ENVIRONMENT: value }
    const worker = await spawnComponent(t, { type: 'worker', env, untilReady: false })
    assert.equal((await worker.exited).code, 1, value)
    assert.equal(worker.lines[0]?.code, 'CONFIG_INVALID')
  }
})

test('the schema of these tests refuses what the specification refuses', () => {
  const document = embeddedMetrics({
    namespace: 'N',
    dimensions: { D: 'd' },
    metrics: { M: { value: 1, unit: 'Count' } },
    at: new Date(),
  }) as Document
  assert.ok(isDocument(document))
  const aws = document._aws
  for (const wrong of [
    { ...aws, Timestamp: new Date().toISOString() },
    { ...aws, Timestamp: Math.floor(Date.now() / 1000) },
    { ...aws, CloudWatchMetrics: [{ ...aws.CloudWatchMetrics[0], Dimensions: ['D'] }] },
    { ...aws, CloudWatchMetrics: [{ ...aws.CloudWatchMetrics[0], Dimensions: [] }] },
    { ...aws, CloudWatchMetrics: aws.CloudWatchMetrics[0] },
  ])
    assert.equal(isDocument({ ...document, _aws: wrong }), false, JSON.stringify(wrong))
})

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + LIMIT.timeout / 2
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('not in time')
    await sleep(EVERY_MS)
  }
}
