import type { EnvironmentName } from '../../../src/ecs-names.ts'
import { type Counts, TYPES } from '../capacity/fits.ts'
import {
  type HostPlan,
  INSTANCES,
  type InstanceType,
  mostOf,
  ofTable,
  planHosts,
} from '../capacity/plan-hosts.ts'
import { type Context, integer, invalid, LOOKS, matching, oneOf, text } from './context.ts'

/** MiB: what agent, Docker and the system's processes are left on a host of ECS's own. */
const RESERVED = 512
/** The same beside PM2: its processes at their limits (src/components.ts: 1,700), its daemon, and that again. */
const RESERVED_BESIDE_PM2 = 2560

export interface Hosts extends HostPlan {
  readonly instance: InstanceType
  readonly reservedMemoryMb: number
  /** Whether they are ours to start, or are registered by infra/ecs/register-instance.sh. */
  readonly machines: 'made' | 'registered'
  /** Of registered machines. */
  readonly securityGroup: string | undefined
  readonly counts: { readonly min: Counts; readonly max: Counts }
}

/** @throws SettingsError SETTING_INVALID, HOSTS_TOO_FEW, HOSTS_TOO_SMALL */
export function readHosts(context: Context, environment: EnvironmentName): Hosts {
  const machines = oneOf(context, 'machines', ['made', 'registered'])
  const isRegistered = machines === 'registered'
  const asked = {
    instance: oneOf(context, 'instance', INSTANCE_NAMES),
    reservedMemoryMb:
      integer(context, 'reservedMemory', { min: 128, max: 16_384 }) ??
      (isRegistered ? RESERVED_BESIDE_PM2 : RESERVED),
    hosts: integer(context, 'hosts', { min: 1, max: 100 }) ?? (isRegistered ? 1 : undefined),
    maxHosts: integer(context, 'maxHosts', { min: 1, max: 100 }),
    max: readCounts(context, 'max'),
  }
  const securityGroup = matching(context, 'machineSecurityGroup', LOOKS.securityGroup, 'a security group')
  if (isRegistered && securityGroup === undefined) {
    const help = 'Give the security group of the machines, as sg-…: the load balancers are let in there.'
    throw invalid('machineSecurityGroup', 'is missing with machines=registered', help)
  }
  const given = readCounts(context, 'counts')
  const counts = given ?? ofTable(environment === 'production' ? 'desired' : 'min')
  const plan = planHosts(counts, mostOf(environment), asked)
  // What scaling may go down to: never more than what there is to be.
  const min = given ?? ofTable('min')
  return { ...asked, ...plan, machines, securityGroup, counts: { min, max: plan.max } }
}

/** `1/1/1`: webhook-handler, api-rest, worker. */
export function readCounts(context: Context, name: string): Counts | undefined {
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
  (a, b) => Number(b === 't3.xlarge') - Number(a === 't3.xlarge'),
) as [InstanceType, ...InstanceType[]]
