import { counter, gauge, histogram, total } from './instrument.ts'

// Every metric there is, in one place, because docs/metrics.md lists them and names once given are kept.
// Names are OpenTelemetry's; `prometheusName` says what a scrape calls them.

/** From a commit to disk to the moment at which a webhook is given up. */
const ANSWER_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3]

/** From a request to a reasoning model's answer, and to the end of a long review. */
const WORK_SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800]

// Ingest

export const webhooks = counter('kodus.webhooks', {
  unit: '{webhook}',
  help: 'Webhooks by what became of them. path: database or broker (made durable there, answered 202), none (asked for nothing, 202), refused; outcome: accepted, duplicate, updated, ignored, or the code of the refusal.',
  labels: ['forge', 'path', 'outcome'],
})

export const webhookDuration = histogram('kodus.webhook.duration', {
  unit: 's',
  help: 'From the headers of a webhook to its answer.',
  labels: ['forge', 'path'],
  buckets: ANSWER_SECONDS,
})

export const breakerState = gauge('kodus.breaker.state', {
  unit: '{state}',
  help: 'Circuit breaker in front of PostgreSQL: 1 for the state that it is in. Open: webhooks go to the broker.',
  labels: ['state'],
})

export const intakeRecorded = counter('kodus.intake.recorded', {
  unit: '{delivery}',
  help: 'Deliveries that were taken from the intake queue and written to PostgreSQL.',
})

export const queueMessages = gauge('kodus.queue.messages', {
  unit: '{message}',
  help: 'Messages that wait in a queue of the broker, not counting those in hand. workflow.intake.queue: webhooks that no row is written for yet.',
  labels: ['queue'],
})

// Jobs, as the database has them

export const jobsClaimable = gauge('kodus.jobs.claimable', {
  unit: '{job}',
  help: 'Jobs that wait and whose moment has come, those included that a limit keeps waiting.',
})

export const jobsDelayed = gauge('kodus.jobs.delayed', {
  unit: '{job}',
  help: 'Jobs that wait for a later moment: a retry.',
})

export const jobsRunning = gauge('kodus.jobs.running', { unit: '{job}', help: 'Jobs that a worker holds.' })

export const oldestClaimable = gauge('kodus.jobs.oldest_claimable.age', {
  unit: 's',
  help: 'How long the oldest claimable job has waited since it became claimable; 0 where there is none.',
})

export const outboxLag = gauge('kodus.outbox.lag', {
  unit: 's',
  help: 'How long ago the oldest waiting job was due to be published; 0 where none is due.',
})

export const deadLetters = gauge('kodus.dead_letters', {
  unit: '{message}',
  help: 'Messages that no component could read, and that nobody has replayed or discarded.',
})

export const stopped = gauge('kodus.stopped', {
  unit: '{switch}',
  help: 'Whether an operator has stopped it: 1 or 0. what: claiming or posting.',
  labels: ['what'],
})

// The work

export const attempts = counter('kodus.attempts', {
  unit: '{attempt}',
  help: 'Attempts at jobs by how they ended. code: why, of those that were retried or failed.',
  labels: ['type', 'outcome', 'code'],
})

export const attemptDuration = histogram('kodus.attempt.duration', {
  unit: 's',
  help: 'From the claim of a job until it is recorded, and told, how the attempt ended.',
  labels: ['type', 'outcome'],
  buckets: WORK_SECONDS,
})

export const takeovers = counter('kodus.takeovers', {
  unit: '{job}',
  help: 'Jobs taken from a worker that had stopped renewing its lease.',
})

export const slots = gauge('kodus.worker.slots', {
  unit: '{slot}',
  help: 'Slots of this worker. state: busy or free.',
  labels: ['state'],
})

export const taskProtectionFailures = counter('kodus.task_protection.failures', {
  unit: '{request}',
  help: 'Requests to the ECS agent, about scale-in protection, that were refused or not answered. code: why.',
  labels: ['code'],
})

export const stageDuration = histogram('kodus.stage.duration', {
  unit: 's',
  help: 'Stages of reviews. did: continue, skip, finish or fail.',
  labels: ['stage', 'did'],
  buckets: WORK_SECONDS,
})

export const modelDuration = histogram('kodus.model.request.duration', {
  unit: 's',
  help: 'Questions to the model. outcome: ok, or the code of the failure.',
  labels: ['model', 'outcome'],
  buckets: WORK_SECONDS,
})

export const modelTokens = counter('kodus.model.tokens', {
  unit: '{token}',
  help: 'Tokens as the endpoint counts them. direction: input or output.',
  labels: ['model', 'direction'],
})

export const forgeDuration = histogram('kodus.forge.request.duration', {
  unit: 's',
  help: "Requests to a forge's API. outcome: ok, or the code of the failure.",
  labels: ['forge', 'method', 'outcome'],
  buckets: WORK_SECONDS,
})

// The process

export const residentMemory = gauge('process.memory.usage', { unit: 'By', help: 'Resident memory.' })

export const cpuTime = total('process.cpu.time', {
  unit: 's',
  help: 'CPU time since the start, of user and system.',
})

export const uptime = gauge('process.uptime', { unit: 's', help: 'How long the process has run.' })

export const eventLoopDelayP50 = gauge('nodejs.eventloop.delay.p50', {
  unit: 's',
  help: 'How much later than asked timers fired since the last collection, the median.',
})

export const eventLoopDelayP99 = gauge('nodejs.eventloop.delay.p99', {
  unit: 's',
  help: 'How much later than asked timers fired since the last collection, the 99th percentile.',
})

export const eventLoopDelayMax = gauge('nodejs.eventloop.delay.max', {
  unit: 's',
  help: 'How much later than asked timers fired since the last collection, at the worst.',
})

/** All of them, for a registry to count. */
export const CATALOGUE = [
  webhooks,
  webhookDuration,
  breakerState,
  intakeRecorded,
  queueMessages,
  jobsClaimable,
  jobsDelayed,
  jobsRunning,
  oldestClaimable,
  outboxLag,
  deadLetters,
  stopped,
  attempts,
  attemptDuration,
  takeovers,
  slots,
  taskProtectionFailures,
  stageDuration,
  modelDuration,
  modelTokens,
  forgeDuration,
  residentMemory,
  cpuTime,
  uptime,
  eventLoopDelayP50,
  eventLoopDelayP99,
  eventLoopDelayMax,
]
