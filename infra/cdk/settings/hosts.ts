import { COMPONENTS } from '../../../src/components.ts'
import { type Counts, HOST, mostOf, ofTable, RESERVED_MB, TYPES } from '../../../src/ecs-capacity.ts'
import type { EnvironmentName } from '../../../src/ecs-names.ts'
import { type Context, integer, invalid, oneOf, text } from './context.ts'
import { type HostPlan, type HostsAsked, INSTANCES, type InstanceType, planHosts } from './plan-hosts.ts'

/** MiB: what PM2's processes may use before they are restarted. */
const OF_PM2 = Object.values(COMPONENTS).reduce((sum, { pm2 }) => sum + pm2.instances * pm2.memoryMb, 0)
/** The same beside PM2; infra/ecs/register-instance.sh reserves that too. */
const RESERVED_BESIDE_PM2 = OF_PM2 + RESERVED_MB

export interface Hosts extends HostPlan {
  readonly instance: InstanceType
  readonly reservedMemoryMb: number
  /** Whether they are ours to start, or are registered by infra/ecs/register-instance.sh. */
  readonly machines: 'made' | 'registered'
  readonly counts: { readonly min: Counts; readonly max: Counts }
}

/** What was said of hosts, and of tasks. */
export interface Asked extends HostsAsked, Pick<Hosts, 'instance' | 'machines'> {
  readonly counts: Counts | undefined
}

/**
 * Reads it whatever the launch type is, so that one list of settings serves clusters of both.
 *
 * @throws SettingsError SETTING_INVALID
 */
export function readAsked(context: Context): Asked {
  const machines = oneOf(context, 'machines', ['made', 'registered'])
  const isRegistered = machines === 'registered'
  return {
    machines,
    instance: oneOf(context, 'instance', INSTANCE_NAMES),
    reservedMemoryMb:
      integer(context, 'reservedMemory', { min: 128, max: 16_384 }) ??
      (isRegistered ? RESERVED_BESIDE_PM2 : RESERVED_MB),
    hosts: integer(context, 'hosts', { min: 1, max: 100 }) ?? (isRegistered ? 1 : undefined),
    maxHosts: integer(context, 'maxHosts', { min: 1, max: 100 }),
    max: readCounts(context, 'max'),
    counts: readCounts(context, 'counts'),
  }
}

/** @throws SettingsError SETTING_INVALID, HOSTS_TOO_FEW, HOSTS_TOO_SMALL */
export function hostsOf(asked: Asked, environment: EnvironmentName): Hosts {
  const { machines, instance, reservedMemoryMb, counts: given } = asked
  // What there is at first, and what scaling goes down to.
  const min = given ?? ofTable('min')
  const plan = planHosts(min, mostOf(environment), asked)
  return { ...plan, instance, reservedMemoryMb, machines, counts: { min, max: plan.max } }
}

/** `1/1/1`: webhook-handler, api-rest, worker. */
function readCounts(context: Context, name: string): Counts | undefined {
  const value = text(context, name)
  if (value === undefined) return undefined
  const numbers = value.split('/').map(Number)
  const [webhook, api, worker] = numbers
  const isCount = (number: number | undefined) => Number.isInteger(number) && (number ?? 0) >= 1
  if (numbers.length !== TYPES.length || !numbers.every(isCount) || !webhook || !api || !worker) {
    throw invalid(name, `is ${value}`, 'Give webhook-handler/api-rest/worker, as 1/1/1, each 1 or more.')
  }
  return { webhook, api, worker }
}

const INSTANCE_NAMES = Object.keys(INSTANCES).sort(
  (a, b) => Number(b === HOST.name) - Number(a === HOST.name),
) as [InstanceType, ...InstanceType[]]
