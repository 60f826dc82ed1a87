import { setTimeout as sleep } from 'node:timers/promises'
import manifest from '../../package.json' with { type: 'json' }
import { gatherPublished } from '../jobs/note-published.ts'
import { createPostgresQueue } from '../jobs/postgres-queue.ts'
import { publishRecorded } from '../jobs/publish-jobs.ts'
import { createLog } from '../lib/log.ts'
import { settledWithin } from '../lib/settled-within.ts'
import { createShutdown, stopRequested } from '../lib/shutdown.ts'
import { exitOnStartError } from '../lib/start-error.ts'
import { breakerState } from '../lib/telemetry/catalogue.ts'
import { startTelemetry } from '../lib/telemetry/telemetry.ts'
import { openDatabase } from '../store/database.ts'
import { migrateInBackground } from '../store/migrate-in-background.ts'
import { recordDeliveries } from '../store/record-deliveries.ts'
import { createApp } from './app.ts'
import { createDeliveryBatcher } from './batch-deliveries.ts'
import { createCircuitBreaker } from './circuit-breaker.ts'
import { readConfig } from './config.ts'
import { createIngestDatabase } from './ingest-database.ts'
import { listen } from './listen.ts'
import { createMakeDurable, DATABASE_DEADLINE_MS, DATABASE_PAUSES } from './make-durable.ts'
import { createMetricsRoute } from './metrics-route.ts'
import { createReadiness } from './readiness.ts'
import { createWebhookRoute } from './webhook-route.ts'

const COMPONENT = 'webhook-handler'
exitOnStartError(COMPONENT)

const config = readConfig()
const stop = stopRequested({ withParent: config.supervised })
const log = createLog(COMPONENT, config.logLevel)
const shutdown = createShutdown(log)
let migrated = false
let stopping = false

const database = { url: config.databaseUrl, ca: config.databaseCa, component: COMPONENT, log }
const db = openDatabase({ ...database, maxConnections: 6, queryTimeoutMs: DATABASE_DEADLINE_MS })
shutdown.add('database', () => settledWithin(1_000, db.end()))

const telemetry = startTelemetry({
  component: COMPONENT,
  instanceId: config.instanceId,
  config: config.telemetry,
  log,
})
shutdown.add('telemetry', () => telemetry.stop())

// A pool of its own: a migration may take longer than a webhook's insert.
const migrationDb = openDatabase({ ...database, maxConnections: 1 })
shutdown.add('migration database', () => migrationDb.end())
const migration = migrateInBackground(migrationDb, log)
shutdown.add('migration', () => migration.stop())
void migration.done.then(() => (migrated = true))

const { rabbitmqUrl: url, rabbitmqCaFile: caFile } = config
const broker = url
  ? (await import('../jobs/rabbitmq-queue.ts')).createRabbitmqQueue({ url, caFile, log })
  : undefined
const queue = broker ?? createPostgresQueue({ pool: db, log })
shutdown.add('queue', () => queue.close())

const ingestDb = createIngestDatabase(db, DATABASE_DEADLINE_MS)
const notes = gatherPublished(db, (error) => log.error({ err: error }, 'published jobs were not noted'))
shutdown.add('notes of what was published', () => notes.close())
const batcher = createDeliveryBatcher({
  record: (deliveries) => recordDeliveries(ingestDb, deliveries, queue.outboxDelayMs),
  announce: (recorded) => publishRecorded({ db: ingestDb, queue, notes }, recorded),
  deadlineMs: DATABASE_DEADLINE_MS,
  log,
})
shutdown.add('deliveries', () => batcher.settled())

const breaker = createCircuitBreaker({
  ...DATABASE_PAUSES,
  onChange: (state) => {
    if (state === 'closed') log.info('PostgreSQL takes webhooks again')
    else log.warn(`PostgreSQL takes no webhooks${broker ? ': they go to RabbitMQ first' : ''}`)
  },
})
telemetry.observe('the circuit breaker', () =>
  (['closed', 'half-open', 'open'] as const).map((state) =>
    breakerState.is(breaker.state() === state ? 1 : 0, { state }),
  ),
)
const makeDurable = createMakeDurable({ batcher, breaker, intake: broker?.intake })
const app = createApp({
  webhook: createWebhookRoute({ secrets: config.secrets, isAllowed: config.isAllowed, makeDurable, log }),
  metrics: createMetricsRoute({ render: telemetry.render, token: config.metricsToken }),
  readiness: createReadiness({ db, intake: broker?.intake, isMigrated: () => migrated }),
  isStopping: () => stopping,
  identity: { component: COMPONENT, version: manifest.version, instance: config.instanceId },
  log,
})
const server = await listen(app, { port: config.port, host: config.host })
shutdown.add('server', () => server.close())

log.info({ port: server.port, queue: queue.technology }, 'webhook handler ready')
process.send?.('ready')

const reason = await stop
stopping = true
log.info(`stopping: ${reason}`)
// Not ready any more, and still accepting: whoever balances the load has to notice first.
await sleep(config.drainMs)
await shutdown.run()
log.info('webhook handler stopped')
process.exit(0)
