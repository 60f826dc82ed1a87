import type { ComponentType } from '../../components.ts'
import { type Counts, perComponent, TYPES } from '../../ecs-capacity.ts'
import { taskHour } from '../cost/task-price.ts'
import { type Run, simulate } from './simulate.ts'
import type { State } from './state.ts'
import { oldestWait } from './work.ts'

/** One minute, at its end. */
export interface Sample {
  readonly minute: number
  readonly tasks: Counts
  readonly waitingJobs: number
  readonly oldestSeconds: number
}

/** What came out of a run. */
export interface Outcome {
  readonly trace: string
  readonly policy: string
  readonly samples: readonly Sample[]
  readonly arrived: { readonly webhooks: number; readonly requests: number; readonly jobs: number }
  readonly refused: number
  readonly most: Counts
  readonly oldestSeconds: number
  /** From the burst's first second until, for the first time after its last, nothing waits; undefined: something always did. */
  readonly drainSeconds: number | undefined
  /** From a deploy until only its tasks are left, all of them healthy; undefined: none, or one was still under way. */
  readonly deploySeconds: number | undefined
  /** Jobs that had to begin again: handed back by workers that were to end, or killed with them. */
  readonly handedBack: number
  readonly killed: number
  /** On average over the run, those that start and end included. */
  readonly average: Counts
  /** On Fargate, x86, for the whole run. */
  readonly dollars: { readonly all: number; readonly worker: number }
}

/** Runs a simulation and adds up what became of everything. */
export function outcomeOf(run: Run): Outcome {
  const samples: Sample[] = []
  const taskSeconds: Record<ComponentType, number> = perComponent(() => 0)
  let most: Counts = perComponent(() => 0)
  const { burst, seconds } = run.trace
  let oldestSeconds = 0
  let drainSeconds: number | undefined
  let deploying = 0
  let last: State | undefined
  simulate(run, (state) => {
    const { second, work } = state
    const tasks = perComponent((type) => state.services[type].fleet.tasks.length)
    for (const type of TYPES) taskSeconds[type] += tasks[type]
    const before = most
    most = perComponent((type) => Math.max(before[type], tasks[type]))
    const oldest = oldestWait(work, second)
    oldestSeconds = Math.max(oldestSeconds, oldest)
    const waits = work.waiting.length + work.lapsing.length > 0
    if (second >= burst.toSecond && !waits) drainSeconds ??= second - burst.fromSecond
    if (TYPES.some((type) => state.services[type].fleet.deploying)) deploying += 1
    if (second % 60 === 59) {
      const waitingJobs = work.waiting.length
      samples.push({ minute: (second + 1) / 60, tasks, waitingJobs, oldestSeconds: oldest })
    }
    last = state
  })
  const cost = perComponent((type) => (taskSeconds[type] / 3600) * taskHour(type, 'x86'))
  return {
    trace: run.trace.name,
    policy: run.policy.name,
    samples,
    arrived: {
      webhooks: last?.webhooks.arrived ?? 0,
      requests: last?.api.arrived ?? 0,
      jobs: last?.work.arrived ?? 0,
    },
    refused: last?.webhooks.refused ?? 0,
    most,
    oldestSeconds,
    drainSeconds,
    deploySeconds: deploying === 0 || unfinished(last) ? undefined : deploying,
    handedBack: last?.work.handedBack ?? 0,
    killed: last?.work.killed ?? 0,
    average: perComponent((type) => taskSeconds[type] / seconds),
    dollars: { all: cost.webhook + cost.api + cost.worker, worker: cost.worker },
  }
}

function unfinished(state: State | undefined): boolean {
  return state !== undefined && TYPES.some((type) => state.services[type].fleet.deploying)
}
