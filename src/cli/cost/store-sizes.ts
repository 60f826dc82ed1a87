import type { ComponentType } from '../../components.ts'
import { type Counts, mostOf } from '../../ecs-capacity.ts'
import type { EnvironmentName } from '../../ecs-names.ts'
import { CONNECTIONS_PER_TASK } from './assumptions.ts'
import type { PriceName } from './prices.ts'

interface DatabaseSize {
  readonly name: string
  readonly memoryGib: number
  readonly price: PriceName
}

export const DATABASES: readonly [DatabaseSize, ...DatabaseSize[]] = [
  { name: 'db.t4g.small', memoryGib: 2, price: 'rdsT4gSmall' },
  { name: 'db.t4g.medium', memoryGib: 4, price: 'rdsT4gMedium' },
  { name: 'db.t4g.large', memoryGib: 8, price: 'rdsT4gLarge' },
  { name: 'db.t4g.xlarge', memoryGib: 16, price: 'rdsT4gXlarge' },
]

/** The broker that infra/cdk makes: RabbitMQ 4.2 runs on m7g alone (AWS, "Managing Amazon MQ for RabbitMQ engine versions"). */
export const BROKERS = {
  staging: { name: 'mq.m7g.medium', nodes: 1, price: 'mqM7gMedium' },
  production: { name: 'mq.m7g.large', nodes: 3, price: 'mqM7gLarge' },
} as const

/** RDS's own default for max_connections: one for each so many bytes of memory. */
const BYTES_PER_CONNECTION = 9_531_392

/**
 * Connections that so many tasks may hold at most. A rolling update of one component runs its tasks twice for a while, so
 * the component with most of them counts double.
 */
export function connectionsOf(tasks: Counts): number {
  const each = Object.entries(tasks).map(
    ([type, count]) => CONNECTIONS_PER_TASK[type as ComponentType] * Math.ceil(count),
  )
  return each.reduce((sum, count) => sum + count, 0) + Math.max(...each)
}

/** The smallest database that lets so many tasks connect. */
export function databaseFor(tasks: Counts): DatabaseSize {
  const wanted = connectionsOf(tasks)
  const holds = ({ memoryGib }: DatabaseSize) => (memoryGib * 1024 ** 3) / BYTES_PER_CONNECTION >= wanted
  return DATABASES.find(holds) ?? DATABASES.at(-1) ?? DATABASES[0]
}

/** The database that infra/cdk makes: it stays when tasks come and go, so it is large enough for the most of them. */
export function databaseOf(environment: EnvironmentName): DatabaseSize {
  return databaseFor(mostOf(environment))
}
