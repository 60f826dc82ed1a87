import { COMPONENTS, type ComponentFacts } from '../../components.ts'
import { ASSUMPTIONS, scalingAlarms } from './assumptions.ts'
import { type Installation, ZONES } from './installation.ts'
import { hourly, type Line, monthly } from './line.ts'
import { HOURS_A_MONTH } from './prices.ts'
import { BROKERS, databaseOf } from './store-sizes.ts'
import type { Use } from './use.ts'

const KB_IN_GB = 1024 ** 2
const MINUTES_A_MONTH = HOURS_A_MONTH * 60

/** One load balancer capacity unit: new connections a second, and GB an hour. The other two dimensions never decide here. */
const LCU = { connectionsPerSecond: 25, gbPerHour: 1 }

/** What ECS needs around its tasks, whoever runs them. */
export function sharedLines(onHosts: boolean, use: Use, installation: Installation): Line[] {
  return [
    ...(onHosts ? [monthly('disks of the hosts, GB', use.hosts * ASSUMPTIONS.hostDiskGb.value, 'gp3')] : []),
    ...networkLines(use, installation),
    ...watchingLines(use),
    monthly('secrets', ASSUMPTIONS.secrets.value, 'secret'),
    monthly('images in ECR, GB', ASSUMPTIONS.imageGb.value, 'ecr'),
    ...storeLines(installation),
  ]
}

function networkLines(use: Use, { environment }: Installation): Line[] {
  const facts: ComponentFacts[] = Object.values(COMPONENTS)
  const balancers = facts.filter(({ http }) => http).length
  const gateways = environment === 'production' ? ZONES : 1
  const traffic = {
    webhook: lcus(use.webhooksPerMinute, ASSUMPTIONS.webhookKb.value),
    api: lcus(use.apiRequestsPerMinute, ASSUMPTIONS.apiKb.value),
  }
  return [
    hourly('load balancers', balancers, 'loadBalancer'),
    hourly('their capacity units', traffic.webhook + traffic.api, 'lcu'),
    hourly('NAT gateways', gateways, 'natHour'),
    monthly('GB through NAT', use.tasks.worker * ASSUMPTIONS.natGbPerWorker.value, 'natGb'),
    // Each load balancer has one in each zone, each NAT gateway one.
    hourly('public addresses', balancers * ZONES + gateways, 'address'),
  ]
}

function lcus(perMinute: number, kb: number): number {
  const connections = perMinute / 60 / ASSUMPTIONS.requestsPerConnection.value / LCU.connectionsPerSecond
  const bytes = (perMinute * 60 * kb) / KB_IN_GB / LCU.gbPerHour
  return Math.max(connections, bytes)
}

function watchingLines(use: Use): Line[] {
  const { logKbPerWebhook, logKbPerApiRequest, logGbPerWorker, logRetentionMonths } = ASSUMPTIONS
  const kb =
    MINUTES_A_MONTH *
    (use.webhooksPerMinute * logKbPerWebhook.value + use.apiRequestsPerMinute * logKbPerApiRequest.value)
  const gb = kb / KB_IN_GB + use.tasks.worker * logGbPerWorker.value
  return [
    monthly('logs, GB', gb, 'logIngest'),
    monthly('logs that are kept, GB', gb * logRetentionMonths.value, 'logStorage'),
    monthly('alarms', ASSUMPTIONS.alarmsWatching.value + scalingAlarms(), 'alarm'),
    monthly('metrics of our own', ASSUMPTIONS.metrics.value, 'metric'),
  ]
}

function storeLines({ environment, queue }: Installation): Line[] {
  const production = environment === 'production'
  const broker = BROKERS[environment]
  const database = databaseOf(environment)
  const copies = production ? 2 : 1
  return [
    hourly(`RDS for PostgreSQL, ${database.name}`, copies, database.price),
    monthly('its storage, GB', copies * ASSUMPTIONS.databaseGb.value, 'rdsStorage'),
    ...(queue === 'rabbitmq'
      ? [hourly(`Amazon MQ for RabbitMQ, ${broker.name}`, broker.nodes, broker.price)]
      : []),
  ]
}
