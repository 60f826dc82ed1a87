import { COMPONENTS, type ComponentFacts, type ComponentType } from '../../components.ts'
import { perComponent } from '../../ecs-capacity.ts'
import { INPUTS } from './inputs.ts'

/** What is measured of a service, once a minute. */
export type Metric =
  | 'cpu'
  | 'requests-per-task'
  | 'backlog-per-task'
  | 'claimable-jobs'
  | 'queue-depth'
  | 'busy-share'

export type Rule =
  /** Target tracking: as many tasks as bring the metric to its target. */
  | { readonly kind: 'track'; readonly metric: Metric; readonly target: number; readonly scalesIn: boolean }
  /** Step scaling. */
  | { readonly kind: 'above'; readonly metric: Metric; readonly value: number; readonly addTasks: number }
  | { readonly kind: 'below'; readonly metric: Metric; readonly value: number; readonly removeTasks: number }
  /** Fewer tasks when nothing has waited, and few slots were busy, for so many minutes. */
  | {
      readonly kind: 'idle'
      readonly busyBelow: number
      readonly minutes: number
      readonly removePercent: number
    }

export interface ServicePolicy {
  readonly rules: readonly Rule[]
  readonly tasks: { readonly min: number; readonly desired: number; readonly max: number }
  readonly cooldown: { readonly outSeconds: number; readonly inSeconds: number }
  /** Whether a worker has itself protected while it holds jobs. */
  readonly protects: boolean
  /** How long a worker may go on after SIGTERM; then it hands back what runs, or is killed before it can. */
  readonly stop: { readonly seconds: number; readonly handsBack: boolean }
}

export interface Policy {
  readonly name: string
  readonly what: string
  readonly services: Readonly<Record<ComponentType, ServicePolicy>>
}

/** What src/components.ts says, as infra/ecs and infra/cdk make it. */
export function ourPolicy(scaling?: Partial<ComponentFacts['scaling']>): Policy {
  return {
    name: 'ours',
    what: 'the table of src/components.ts',
    services: perComponent((type) => fromTable(type, type === 'worker' ? scaling : undefined)),
  }
}

function fromTable(type: ComponentType, changed: Partial<ComponentFacts['scaling']> = {}): ServicePolicy {
  const { tasks, stop, scaling: table }: ComponentFacts = COMPONENTS[type]
  const scaling = { ...table, ...changed }
  const rules: Rule[] = scaling.targets.map((target) => ({
    kind: 'track',
    metric: target.metric,
    target:
      target.metric === 'cpu'
        ? target.percent
        : target.metric === 'requests-per-task'
          ? target.perMinute
          : target.jobs,
    scalesIn: !scaling.idle,
  }))
  const { emergency, idle } = scaling
  if (emergency) {
    const { claimableJobsAbove: value, addTasks } = emergency
    rules.push({ kind: 'above', metric: 'claimable-jobs', value, addTasks })
  }
  if (idle) {
    const { busyBelow, forSeconds, removePercent } = idle
    rules.push({ kind: 'idle', busyBelow, minutes: Math.ceil(forSeconds / 60), removePercent })
  }
  return {
    rules,
    tasks,
    cooldown: scaling.cooldown,
    protects: type === 'worker',
    stop: { seconds: stop.goesOnSeconds, handsBack: true },
  }
}

/** How the documents' "queue depth < 100, +5 above 500" can be read. */
export type Reading = 'steps' | 'tracking'

const SECONDS = INPUTS.defaultCooldownSeconds.value
const COOLDOWN = { outSeconds: SECONDS, inSeconds: SECONDS }
/** No definition of theirs sets stopTimeout, and nothing of theirs protects a task. */
const STOP = { seconds: INPUTS.defaultStopSeconds.value, handsBack: false }

/**
 * The documents' policy, where they say nothing with AWS's defaults. As steps: 5 tasks more above 500 waiting jobs, and
 * 5 fewer below 100, since otherwise nothing would ever take a worker away. As tracking: a target of 100 for the depth
 * of the queue, whatever the number of tasks, and the same step above 500.
 */
export function documentsPolicy(reading: Reading): Policy {
  const emergency: Rule = { kind: 'above', metric: 'queue-depth', value: 500, addTasks: 5 }
  const rules: Record<ComponentType, readonly Rule[]> = {
    webhook: [
      { kind: 'above', metric: 'cpu', value: 70, addTasks: 1 },
      { kind: 'below', metric: 'cpu', value: 30, removeTasks: 1 },
    ],
    api: [
      { kind: 'track', metric: 'cpu', target: 70, scalesIn: true },
      { kind: 'track', metric: 'requests-per-task', target: 1_000, scalesIn: true },
    ],
    worker: [
      emergency,
      reading === 'steps'
        ? { kind: 'below', metric: 'queue-depth', value: 100, removeTasks: 5 }
        : { kind: 'track', metric: 'queue-depth', target: 100, scalesIn: true },
    ],
  }
  return {
    name: `documents (${reading})`,
    what: "the documents' words, with AWS's defaults where they say nothing",
    services: perComponent((type) => ({
      rules: rules[type],
      tasks: COMPONENTS[type].tasks,
      cooldown: COOLDOWN,
      protects: false,
      stop: STOP,
    })),
  }
}

/** As many workers as there may be, always: nothing drains faster, and it costs what that costs. */
export function mostPolicy(): Policy {
  const ours = ourPolicy()
  const { max } = COMPONENTS.worker.tasks
  const worker = { ...ours.services.worker, rules: [], tasks: { min: max, desired: max, max } }
  return { name: 'always the most', what: 'the bound', services: { ...ours.services, worker } }
}
