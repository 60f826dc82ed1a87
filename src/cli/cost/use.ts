import { COMPONENTS } from '../../components.ts'
import { type Counts, ofTable } from '../../ecs-capacity.ts'
import { hostsFor } from './hosts.ts'

/** How much runs in a month, on average. */
export interface Use {
  readonly name: string
  /** Tasks; fractions where the number changes. */
  readonly tasks: Counts
  /** Container instances that hold them, where there are any; a fraction where the number changes. */
  readonly hosts: number
  readonly webhooksPerMinute: number
  readonly apiRequestsPerMinute: number
}

export const COUNTED_USES = ['min', 'desired', 'max'] as const

/**
 * What is asked of that many tasks: a tenth of the documents' peak of 1,000 webhooks a minute, half of it, and all of it;
 * of the API, what its tasks are scaled at.
 */
const WEBHOOKS_A_MINUTE = { min: 100, desired: 500, max: 1_000 }

/** The use of the table's counts, running all month. */
export function countedUse(name: (typeof COUNTED_USES)[number]): Use {
  const tasks = ofTable(name)
  const perTask = COMPONENTS.api.scaling.targets.find(({ metric }) => metric === 'requests-per-task')
  return {
    name,
    tasks,
    hosts: hostsFor(tasks),
    webhooksPerMinute: WEBHOOKS_A_MINUTE[name],
    apiRequestsPerMinute: tasks.api * (perTask && 'perMinute' in perTask ? perTask.perMinute : 0),
  }
}
