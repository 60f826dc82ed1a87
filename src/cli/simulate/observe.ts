import { COMPONENTS, type ComponentType, CPU_UNITS_PER_VCPU } from '../../components.ts'
import { working } from './fleet.ts'
import type { Values } from './inputs.ts'
import type { Datapoints } from './metrics.ts'
import type { Service } from './state.ts'
import { runningIn, type Work } from './work.ts'

/** What is added up of one minute, until CloudWatch is told. */
export interface Minute {
  served: Record<'webhook' | 'api', number>
  taskSeconds: Record<'webhook' | 'api', number>
  claimable: number
  running: number
}

export function emptyMinute(): Minute {
  return { served: { webhook: 0, api: 0 }, taskSeconds: { webhook: 0, api: 0 }, claimable: 0, running: 0 }
}

export function addRequests(minute: Minute, type: 'webhook' | 'api', served: number, tasks: number): void {
  minute.served[type] += served
  minute.taskSeconds[type] += tasks
}

/** Of what each worker tells once a minute, the most counts. */
export function addJobs(minute: Minute, work: Work, { fleet }: Service): void {
  minute.claimable = Math.max(minute.claimable, work.waiting.length)
  minute.running = Math.max(minute.running, runningIn(fleet))
}

/** What CloudWatch is told at the end of a minute; nothing of workers where none is there to tell it. */
export function datapointsOf(
  minute: Minute,
  services: Readonly<Record<ComponentType, Service>>,
  now: number,
  values: Values,
): Record<ComponentType, Datapoints> {
  const workers = working(services.worker.fleet, now).length
  const { claimable, running } = minute
  return {
    webhook: httpPoints(minute, 'webhook', values.webhookCpuSeconds),
    api: httpPoints(minute, 'api', values.apiCpuSeconds),
    worker:
      workers === 0
        ? {}
        : {
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
