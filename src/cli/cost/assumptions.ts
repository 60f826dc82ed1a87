import { COMPONENTS, type ComponentFacts } from '../../components.ts'

/** A number that nobody has measured for your installation, and why it is what it is. */
export interface Assumption {
  readonly value: number
  readonly unit: string
  readonly because: string
}

function assume(value: number, unit: string, because: string): Assumption {
  return { value, unit, because }
}

export const ASSUMPTIONS = {
  utilisation: assume(
    0.3,
    'of what tasks reserve',
    'a worker waits for its model most of the time, and 1,000 webhooks a minute are 2 % of three handlers; --utilisation changes it',
  ),
  t3Baseline: assume(
    0.4,
    'of each vCPU',
    "what a t3.xlarge may use all day without surplus: AWS's figure, unconfirmed",
  ),
  machineDiskGb: assume(
    100,
    'GB',
    "the system, PostgreSQL's data, logs, and the repositories that workers keep",
  ),
  hostDiskGb: assume(
    60,
    'GB a host',
    "as infra/cdk makes them: the system's 30, the images, and the repositories that workers keep",
  ),
  webhookKb: assume(24, 'kB', "GitHub's own example of a pull_request webhook"),
  apiKb: assume(8, 'kB', 'an answer of GET /jobs/:id with its history'),
  requestsPerConnection: assume(1, 'request', 'the worst case: a forge opens a connection for each webhook'),
  natGbPerWorker: assume(
    30,
    'GB a worker-month',
    '1 GB a day: fetches of what is new, questions to a model, and images when tasks start',
  ),
  logKbPerWebhook: assume(0.5, 'kB', 'one line'),
  logKbPerApiRequest: assume(0.5, 'kB', 'one line'),
  logGbPerWorker: assume(0.5, 'GB a worker-month', 'some 20 lines a review, 1,500 reviews a day'),
  logRetentionMonths: assume(1, 'month', 'of all three log groups'),
  secrets: assume(
    6,
    'secrets',
    "the database's and the broker's address, webhook secret, GitHub App key, model key, metrics token",
  ),
  metrics: assume(
    5,
    'metrics',
    'ClaimableJobs, RunningJobs, OldestClaimableJobSeconds, DeadLetters, WorkerSlots, each with one dimension',
  ),
  alarmsWatching: assume(
    13,
    'alarms',
    'three of each that has HTTP: latency, errors, healthy tasks; seven of the worker: waiting jobs, oldest job, consumers, dead letters, missing metrics, busy slots, ended tasks',
  ),
  imageGb: assume(
    3 * 0.15 * 10,
    'GB',
    'three images of some 0.15 GB compressed, the last ten of each kept to go back to',
  ),
  databaseGb: assume(20, 'GB', 'the least RDS gives; rows are small, and old ones are removed'),
} as const satisfies Record<string, Assumption>

/** Alarms that scaling itself makes: two for each target, one for the emergency step, two for idle capacity. */
export function scalingAlarms(): number {
  const facts: ComponentFacts[] = Object.values(COMPONENTS)
  return facts.reduce(
    (sum, { scaling }) =>
      sum + 2 * scaling.targets.length + (scaling.emergency ? 1 : 0) + (scaling.idle ? 2 : 0),
    0,
  )
}

/** Connections to PostgreSQL that a task of each component may hold: the pools of its main.ts, with a worker's four slots. */
export const CONNECTIONS_PER_TASK = { webhook: 7, api: 10, worker: 8 } as const

/** What a bill does not have, so that nobody looks for it there. */
export const NOT_COUNTED = [
  'the model that reviews: usually more than all of this',
  'traffic to the internet, and between zones',
  'backups beyond the size of the database, snapshots, support, taxes, free tiers, reservations and savings plans',
  'a registry, a staging environment and whoever looks after it',
] as const
