import { COMPONENTS } from '../../components.ts'

/** A number that the simulator takes as given, and where it is from. */
export interface Input {
  readonly value: number
  readonly unit: string
  /** measured: by us. product: what the code does. documented: by AWS or a forge. assumed: by nobody measured; change it. */
  readonly kind: 'measured' | 'product' | 'documented' | 'assumed'
  readonly source: string
}

const measured = (value: number, unit: string, source: string): Input => ({
  value,
  unit,
  kind: 'measured',
  source,
})
const product = (value: number, unit: string, source: string): Input => ({
  value,
  unit,
  kind: 'product',
  source,
})
const documented = (value: number, unit: string, source: string): Input => ({
  value,
  unit,
  kind: 'documented',
  source,
})
const assumed = (value: number, unit: string, source: string): Input => ({
  value,
  unit,
  kind: 'assumed',
  source,
})

export const INPUTS = {
  webhookTaskPerSecond: measured(
    500,
    'webhooks a second',
    'docs/containers.md: held by one task of 0.25 vCPU',
  ),
  webhookCpuSeconds: measured(
    0.24 / 250,
    'vCPU-seconds a webhook',
    'docs/containers.md: 0.240 processors at 250 a second; less when more wait, so this is the most',
  ),
  webhookReadySeconds: measured(
    0.475,
    's',
    'npm run bench:images: from the start of the container until ready',
  ),
  apiReadySeconds: measured(0.485, 's', 'npm run bench:images'),
  workerReadySeconds: measured(0.266, 's', 'npm run bench:images'),
  apiCpuSeconds: assumed(0.005, 'vCPU-seconds a request', 'one query and its answer as JSON'),
  placementSeconds: assumed(
    40,
    's',
    'ECS chooses a place, attaches an interface and pulls the image (Fargate: 20 to 60 s)',
  ),
  containerCheckSeconds: product(
    10,
    's',
    'infra/docker/Dockerfile: HEALTHCHECK --interval; a task counts from the first',
  ),
  targetCheckSeconds: assumed(
    20,
    's',
    'the load balancer finds a new target healthy: two checks, 10 s apart',
  ),
  deregistrationSeconds: assumed(30, 's', 'deregistration delay of the target groups'),
  slots: product(4, 'jobs at once', 'WORKER_SLOTS, its default'),
  runningPerOrganisation: product(32, 'jobs at once', 'JOBS_PER_ORGANISATION, its default'),
  organisations: assumed(
    10,
    'organisations',
    'whose reviews come at once, evenly; with one, 32 reviews run however many workers there are',
  ),
  leaseSeconds: product(30, 's', 'a job whose worker was killed is taken over when its lease has lapsed'),
  protectionTermSeconds: product(600, 's', 'src/worker/protect-task.ts: termMs'),
  protectionOpenSeconds: product(60, 's', 'src/worker/protect-task.ts: openMs'),
  protectionLingerSeconds: product(10, 's', 'src/worker/protect-task.ts: lingerMs'),
  protectionRetrySeconds: product(60, 's', 'src/worker/protect-task.ts: retryMs'),
  jobSeconds: assumed(
    60,
    's',
    'one review; mostly the model thinking. Nobody can measure yours but you: --job-seconds',
  ),
  jobSpread: assumed(
    0.5,
    'of it',
    'each takes between half as long and half as long again, drawn from the seed',
  ),
  jobsPerWebhook: assumed(
    0.1,
    'jobs a webhook',
    'one in ten asks for a review, as in npm run test:containers',
  ),
  patienceSeconds: documented(
    10,
    's',
    'GitHub gives a webhook up after so long, and sends it no second time',
  ),
  metricDelaySeconds: assumed(
    120,
    's',
    'from the end of a minute until CloudWatch shows it: one to three minutes',
  ),
  trackingOutMinutes: documented(
    3,
    'minutes',
    'target tracking adds tasks after three minutes above the target',
  ),
  trackingInMinutes: documented(
    15,
    'minutes',
    'target tracking takes tasks away after fifteen minutes below it',
  ),
  trackingInShare: documented(0.9, 'of the target', 'and below means: below 90 % of it'),
  defaultCooldownSeconds: documented(
    300,
    's',
    'Application Auto Scaling, for ECS services, when none is set',
  ),
  defaultStopSeconds: documented(30, 's', 'ECS, when stopTimeout is not set: SIGKILL so long after SIGTERM'),
  drainSeconds: product(
    COMPONENTS.webhook.stop.goesOnSeconds,
    's',
    'src/components.ts: a handler or API goes on after SIGTERM',
  ),
} as const satisfies Record<string, Input>

export type InputName = keyof typeof INPUTS

/** The inputs' values alone, some of them changed. */
export type Values = Readonly<Record<InputName, number>>

/** What a run goes by: the inputs as they stand, but for those that are given. */
export function valuesWith(changed: Partial<Record<InputName, number>> = {}): Values {
  const given = Object.entries(INPUTS).map(([name, { value }]) => [name, value] as const)
  return { ...(Object.fromEntries(given) as Record<InputName, number>), ...changed }
}
