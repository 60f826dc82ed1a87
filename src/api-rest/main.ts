import { setTimeout as sleep } from 'node:timers/promises'
import manifest from '../../package.json' with { type: 'json' }
import { observeBacklog } from '../jobs/observe-backlog.ts'
import { KodusError, messageOf } from '../lib/errors.ts'
import { createLog } from '../lib/log.ts'
import { settledWithin } from '../lib/settled-within.ts'
import { createShutdown, stopRequested } from '../lib/shutdown.ts'
import { exitOnStartError } from '../lib/start-error.ts'
import { startTelemetry } from '../lib/telemetry/telemetry.ts'
import { openDatabase } from '../store/database.ts'
import { migrateInBackground } from '../store/migrate-in-background.ts'
import { createApp } from './app.ts'
import { readConfig } from './config.ts'

const COMPONENT = 'api-rest'
exitOnStartError(COMPONENT)

const config = readConfig()
const stop = stopRequested({ withParent: config.supervised })
const log = createLog(COMPONENT, config.logLevel)
const shutdown = createShutdown(log)
let stopping = false

const db = openDatabase({
  url: config.databaseUrl,
  ca: config.databaseCa,
  component: COMPONENT,
  maxConnections: 10,
  queryTimeoutMs: 10_000,
  log,
})
shutdown.add('database', () => settledWithin(1_000, db.end()))

const telemetry = startTelemetry({
  component: COMPONENT,
  instanceId: config.instanceId,
  config: config.telemetry,
  log,
})
shutdown.add('telemetry', () => telemetry.stop())
observeBacklog(telemetry, db)

const migration = migrateInBackground(db, log)
shutdown.add('migration', () => migration.stop())

const app = await createApp({
  db,
  log,
  version: manifest.version,
  instanceId: config.instanceId,
  metrics: { render: telemetry.render, token: config.metricsToken },
  isStopping: () => stopping,
})
shutdown.add('HTTP server', () => app.close())
const address = await app.listen({ host: config.host, port: config.port }).catch((cause) => {
  throw new KodusError(
    'LISTEN_FAILED',
    `Cannot listen on ${config.host}:${config.port}: ${messageOf(cause)}`,
    {
      help: 'Stop what uses the port, or set API_PORT and API_HOST to what is free here.',
      cause,
    },
  )
})
log.info({ address, instance: config.instanceId }, 'api-rest ready')
process.send?.('ready')

const reason = await stop
stopping = true
log.info(`stopping: ${reason}`)
// Not ready any more, and still accepting: whoever balances the load has to notice first.
await sleep(config.drainMs)
await shutdown.run()
log.info('api-rest stopped')
process.exit(0)
