/**
 * What is to be known of each component from outside: PM2, images, compose, ECS, the command line and the documents all
 * read it here. Pure data that imports nothing, so that infrastructure code may import it without the product.
 */
export interface ComponentFacts {
  /** What its process, image, service, family and load balancer are called. */
  readonly name: string
  /** Its HTTP port and the variable that changes it; absent where there is no HTTP. */
  readonly http?: {
    readonly port: number
    readonly variable: string
    /** 200 while the process lives, whatever its stores do: what a container is restarted by. */
    readonly health: string
    /** 200 while it should be sent requests: what a load balancer asks. */
    readonly ready: string
  }
  /** How PM2 runs it on one machine. */
  readonly pm2: { readonly instances: number; readonly memoryMb: number }
  /** What one container of it is given. */
  readonly task: { readonly cpuUnits: number; readonly memoryMb: number }
  /** How many containers there are. */
  readonly tasks: { readonly min: number; readonly desired: number; readonly max: number }
  /** What the number of them follows where a platform scales. */
  readonly scaling: {
    /** Tasks are added until each is at its value or below; the one that asks for most tasks counts. */
    readonly targets: readonly ScalingTarget[]
    /** Beyond what targets do, at once: so many tasks more, again after each cooldown, while this many jobs wait. */
    readonly emergency?: { readonly claimableJobsAbove: number; readonly addTasks: number }
    /**
     * Where a task may not be taken away because a value is low, only when there is idle capacity: nothing has waited,
     * and less than this share of all slots has been busy, for so long. Absent: the targets take tasks away as well.
     */
    readonly idle?: {
      readonly busyBelow: number
      readonly forSeconds: number
      readonly removePercent: number
    }
    readonly cooldown: { readonly outSeconds: number; readonly inSeconds: number }
  }
  readonly stop: {
    /** The variable that says how long it goes on after SIGTERM; absent where nothing has to be waited for. */
    readonly variable?: string
    /** Its value in a container, in seconds. */
    readonly goesOnSeconds: number
    /** What the platform must grant before SIGKILL: that, what is in flight, and a margin. 120 is Fargate's most. */
    readonly grantedSeconds: number
  }
  /** V8's options. Its heap follows the container's memory by itself. */
  readonly nodeOptions: readonly string[]
}

export type ScalingTarget =
  | { readonly metric: 'cpu'; readonly percent: number }
  /** Requests of one task a minute, as its load balancer counts them. */
  | { readonly metric: 'requests-per-task'; readonly perMinute: number }
  /** Jobs that could be claimed now, divided by the running tasks. */
  | { readonly metric: 'backlog-per-task'; readonly jobs: number }

/** 1,024 CPU units are one vCPU. */
export const CPU_UNITS_PER_VCPU = 1024

export const COMPONENTS = {
  webhook: {
    name: 'webhook-handler',
    http: { port: 3332, variable: 'WEBHOOK_PORT', health: '/health', ready: '/ready' },
    pm2: { instances: 2, memoryMb: 200 },
    task: { cpuUnits: 256, memoryMb: 512 },
    tasks: { min: 2, desired: 3, max: 10 },
    scaling: {
      // A task holds at least 500 a second (docs/containers.md); at a third of that it can bear what comes until others have started.
      targets: [
        { metric: 'cpu', percent: 70 },
        { metric: 'requests-per-task', perMinute: 10_000 },
      ],
      cooldown: { outSeconds: 60, inSeconds: 300 },
    },
    stop: { variable: 'WEBHOOK_DRAIN_SECONDS', goesOnSeconds: 15, grantedSeconds: 40 },
    // A small young generation: under overload the default lets it grow past PM2's limit (docs/performance.md).
    nodeOptions: ['--max-semi-space-size=8'],
  },
  api: {
    name: 'api-rest',
    http: { port: 3331, variable: 'API_PORT', health: '/health', ready: '/ready' },
    pm2: { instances: 1, memoryMb: 500 },
    task: { cpuUnits: 512, memoryMb: 1024 },
    tasks: { min: 3, desired: 5, max: 20 },
    scaling: {
      // 1,000 a minute in all, of the five that are desired.
      targets: [
        { metric: 'cpu', percent: 70 },
        { metric: 'requests-per-task', perMinute: 200 },
      ],
      cooldown: { outSeconds: 60, inSeconds: 300 },
    },
    stop: { variable: 'API_DRAIN_SECONDS', goesOnSeconds: 15, grantedSeconds: 40 },
    nodeOptions: [],
  },
  worker: {
    name: 'worker',
    pm2: { instances: 1, memoryMb: 800 },
    task: { cpuUnits: 1024, memoryMb: 2048 },
    tasks: { min: 5, desired: 10, max: 50 },
    scaling: {
      // What a task with its four slots does in a minute, when a review takes one. Chosen with `kodus simulate --vary`, as
      // is how fast idle tasks are taken away: none that holds a job is (docs/scaling.md).
      targets: [{ metric: 'backlog-per-task', jobs: 4 }],
      emergency: { claimableJobsAbove: 500, addTasks: 5 },
      idle: { busyBelow: 0.6, forSeconds: 120, removePercent: 40 },
      cooldown: { outSeconds: 60, inSeconds: 180 },
    },
    stop: { variable: 'WORKER_GRACE_SECONDS', goesOnSeconds: 105, grantedSeconds: 120 },
    nodeOptions: [],
  },
} as const satisfies Record<string, ComponentFacts>

/** What COMPONENT_TYPE may be. */
export type ComponentType = keyof typeof COMPONENTS
