import { hostname } from 'node:os'
import { createForges } from '../forges/index.ts'
import { startDispatcher } from '../jobs/dispatch-due.ts'
import { JOB_TYPES } from '../jobs/job-types.ts'
import { observeBacklog, observeQueues } from '../jobs/observe-backlog.ts'
import { createPostgresQueue } from '../jobs/postgres-queue.ts'
import { collectDeadLetters } from '../jobs/rabbitmq-dead-letters.ts'
import { createRabbitmqQueue } from '../jobs/rabbitmq-queue.ts'
import { INTAKE_QUEUE, JOBS_QUEUE } from '../jobs/topology.ts'
import { readGitSettings } from '../lib/git/config.ts'
import { sweepScratch } from '../lib/git/sweep-scratch.ts'
import { createLog } from '../lib/log.ts'
import { settledWithin } from '../lib/settled-within.ts'
import { createShutdown, stopRequested } from '../lib/shutdown.ts'
import { exitOnStartError } from '../lib/start-error.ts'
import { slots } from '../lib/telemetry/catalogue.ts'
import { startTelemetry } from '../lib/telemetry/telemetry.ts'
import { createOpenAiCompatibleModel } from '../models/openai-compatible.ts'
import { openDatabase } from '../store/database.ts'
import { type DeadMessage, keepDeadLetter } from '../store/keep-dead-letter.ts'
import { migrateInBackground } from '../store/migrate-in-background.ts'
import type { Attempt } from './attempt.ts'
import { completeTogether } from './complete-jobs.ts'
import { readConfig } from './config.ts'
import { gatePosting } from './gate-posting.ts'
import { handBack } from './hand-back.ts'
import { keepHealthFile } from './keep-health-file.ts'
import { keepHouse } from './keep-house.ts'
import { openGitHub } from './open-github.ts'
import { protectTask } from './protect-task.ts'
import { recordIntake } from './record-intake.ts'
import { takeJobs } from './take-jobs.ts'
import { tellCloudWatch } from './tell-cloudwatch.ts'
import { tellLate } from './tell-late.ts'
import { watchGitHub } from './watch-github.ts'

const COMPONENT = 'worker'
exitOnStartError(COMPONENT)

const config = readConfig()
const stop = stopRequested({ withParent: config.supervised })
const log = createLog(COMPONENT, config.logLevel)
const shutdown = createShutdown(log)
const types = Object.keys(JOB_TYPES)
const attempts = new Set<Attempt>()
const inHand = new Set<Promise<void>>()
const stopping = new AbortController()
void stop.then(() => stopping.abort())

const db = openDatabase({
  url: config.databaseUrl,
  ca: config.databaseCa,
  component: COMPONENT,
  // Every slot may hold one while it works, and the loops need theirs.
  maxConnections: config.slots + 4,
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
telemetry.observe('the slots', () => [
  slots.is(inHand.size, { state: 'busy' }),
  slots.is(config.slots - inHand.size, { state: 'free' }),
])

const migration = migrateInBackground(db, log)
shutdown.add('migration', () => migration.stop())

const { rabbitmqUrl: url, rabbitmqCaFile: caFile } = config
const broker = url ? createRabbitmqQueue({ url, caFile, log }) : undefined
const queue = broker ?? createPostgresQueue({ pool: db, log })
shutdown.add('queue', () => queue.close())
if (broker) observeQueues(telemetry, { [JOBS_QUEUE]: broker.depth, [INTAKE_QUEUE]: broker.intake.depth })

// A worker asked to stop while it still waits for the database must not wait on.
await Promise.race([migration.done, stop])
const worker = `${hostname()}:${process.pid}`
const { limits } = config
const dispatcher = startDispatcher({ db, queue, types, limits, worker, log })
shutdown.add('dispatcher', () => dispatcher.stop())
const house = keepHouse({ db, retention: config.retention, log })
shutdown.add('housekeeping', () => house.stop())
if (broker && url) {
  const keep = (message: DeadMessage) => keepDeadLetter(db, message)
  const collector = collectDeadLetters({ url, caFile, log, keep })
  shutdown.add('dead letters', () => collector.close())
  const recorder = await broker.intake.record((delivery) => recordIntake(delivery, { db, queue, log }))
  shutdown.add('intake recorder', () => recorder.stop())
}

// Nothing waits for it: what it does not get to is swept at the next start.
sweepScratch(readGitSettings()).then((count) => {
  if (count > 0)
    log.info(
      `removed ${count} scratch ${count === 1 ? 'repository' : 'repositories'} that killed processes had left`,
    )
})

const model = config.model && createOpenAiCompatibleModel(config.model)
const github =
  config.github && (await openGitHub(config.github, config.gitCache, { db, log, stopping: stopping.signal }))
if (github) {
  shutdown.add('mirrors', () => github.mirrors.close())
  const watch = watchGitHub(github.config, { db, queue, log })
  shutdown.add('watch over GitHub', () => watch.stop())
}
const forges = gatePosting(createForges({ ...config, github }), db)
const late = tellLate({ db, forges, log })
shutdown.add('late telling', () => late.stop())
const complete = completeTogether(db)
const runner = { db, complete, queue, forges, model, worker, log, attempts, stopping: stopping.signal }
const taker = takeJobs(runner, inHand, { slots: config.slots, types, limits })
const protection = { agentUri: config.ecsAgentUri, log, stopping: stopping.signal }
const consumer = await queue.consume(protectTask(taker, protection))
shutdown.add('running reviews', () => handBack({ inHand, attempts }, config.graceMs, log))
shutdown.add('consumer', () => consumer.stop())
if (config.healthFile) {
  const health = keepHealthFile({ file: config.healthFile, db, loops: { consumer, dispatcher }, log })
  // Not waited for: a database that does not answer must not delay the consumer's stop.
  shutdown.add('health file', () => void health.stop())
}
const { cloudWatchEnvironment: environment } = config
if (environment) {
  const telling = tellCloudWatch({ db, slots: config.slots, limits, environment, log })
  shutdown.add('metrics for CloudWatch', () => void telling.stop())
}

log.info(
  {
    queue: queue.technology,
    slots: config.slots,
    forges: Object.keys(forges),
    model: config.model?.model ?? null,
  },
  'worker ready',
)
process.send?.('ready')

const reason = await stop
log.info(`stopping: ${reason}`)
await shutdown.run()
log.info('worker stopped')
process.exit(0)
