import type { ComponentType } from '../../components.ts'
import { CONNECTIONS_PER_TASK } from './assumptions.ts'
import type { PriceName } from './prices.ts'
import type { TaskCounts } from './task-counts.ts'

interface DatabaseSize {
  readonly name: string
  readonly memoryGib: number
  readonly price: PriceName
}

const SIZES: readonly [DatabaseSize, ...DatabaseSize[]] = [
  { name: 'db.t4g.small', memoryGib: 2, price: 'rdsT4gSmall' },
  { name: 'db.t4g.medium', memoryGib: 4, price: 'rdsT4gMedium' },
  { name: 'db.t4g.large', memoryGib: 8, price: 'rdsT4gLarge' },
  { name: 'db.t4g.xlarge', memoryGib: 16, price: 'rdsT4gXlarge' },
]

/** RDS's own default for max_connections: one for each so many bytes of memory. */
const BYTES_PER_CONNECTION = 9_531_392

/**
 * Connections that so many tasks may hold at most. A rolling update of one component runs its tasks twice for a while, so
 * the component with most of them counts double.
 */
export function connectionsOf(tasks: TaskCounts): number {
  const each = Object.entries(tasks).map(
    ([type, count]) => CONNECTIONS_PER_TASK[type as ComponentType] * Math.ceil(count),
  )
  return each.reduce((sum, count) => sum + count, 0) + Math.max(...each)
}

/** The smallest database that lets so many tasks connect. */
export function databaseFor(tasks: TaskCounts): DatabaseSize {
  const wanted = connectionsOf(tasks)
  const holds = ({ memoryGib }: DatabaseSize) => (memoryGib * 1024 ** 3) / BYTES_PER_CONNECTION >= wanted
  return SIZES.find(holds) ?? SIZES.at(-1) ?? SIZES[0]
}
