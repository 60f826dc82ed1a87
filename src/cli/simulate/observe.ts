import { COMPONENTS, type ComponentType, CPU_UNITS_PER_VCPU } from '../../components.ts'
import { COUNTED_BEHIND_EACH } from '../../store/count-jobs-for-workers.ts'
import { working } from './fleet.ts'
import type { Values } from './inputs.ts'
import type { Datapoints } from './metrics.ts'
import type { Service } from './state.ts'
import { runningIn, runningLimit, type Work } from './work.ts'

/** What is added up of one minute, until CloudWatch is told. */
export interface Minute {
  served: Record<'webhook' | 'api', number>
  taskSeconds: Record<'webhook' | 'api', number>
  /** All that wait. */
  waiting: number
  /** Those of them that ask for workers (src/store/count-jobs-for-workers.ts). */
  claimable: number
  running: number
}

export function emptyMinute(): Minute {
  const none = { webhook: 0, api: 0 }
  return { served: { ...none }, taskSeconds: { ...none }, waiting: 0, claimable: 0, running: 0 }
}

export function addRequests(minute: Minute, type: 'webhook' | 'api', served: number, tasks: number): void {
  minute.served[type] += served
  minute.taskSeconds[type] += tasks
}

/** Of what each worker tells once a minute, the most counts. */
export function addJobs(minute: Minute, work: Work, { fleet }: Service, values: Values): void {
  const running = runningIn(fleet)
  const waiting = work.waiting.length
  minute.waiting = Math.max(minute.waiting, waiting)
  minute.claimable = Math.max(
    minute.claimable,
    Math.min(waiting, COUNTED_BEHIND_EACH * (runningLimit(values) - running)),
  )
  minute.running = Math.max(minute.running, running)
}

/** What CloudWatch is told at the end of a minute; nothing of workers where none is there to tell it. */
export function datapointsOf(
  minute: Minute,
  services: Readonly<Record<ComponentType, Service>>,
  now: number,
  values: Values,
): Record<ComponentType, Datapoints> {
  const workers = working(services.worker.fleet, now).length
  const { waiting, claimable, running } = minute
  return {
    webhook: httpPoints(minute, 'webhook', values.webhookCpuSeconds),
    api: httpPoints(minute, 'api', values.apiCpuSeconds),
    worker:
      workers === 0
        ? {}
        : {
            'queue-depth': waiting,
            'claimable-jobs': claimable,
            'backlog-per-task': claimable / workers,
            'busy-share': running / (workers * values.slots),
          },
  }
}

function httpPoints(minute: Minute, type: 'webhook' | 'api', cpuSeconds: number): Datapoints {
  const taskSeconds = minute.taskSeconds[type]
  if (taskSeconds === 0) return {}
  const perTaskSecond = minute.served[type] / taskSeconds
  const vcpus = COMPONENTS[type].task.cpuUnits / CPU_UNITS_PER_VCPU
  return {
    cpu: Math.min(100, (100 * perTaskSecond * cpuSeconds) / vcpus),
    'requests-per-task': perTaskSecond * 60,
  }
}
