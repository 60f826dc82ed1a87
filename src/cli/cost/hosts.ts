import { COMPONENTS, type ComponentType, CPU_UNITS_PER_VCPU } from '../../components.ts'
import { type Counts, hostsFor as fewestHosts, HOST, roomOf } from '../../ecs-capacity.ts'
import { ASSUMPTIONS } from './assumptions.ts'

const ROOM = roomOf(HOST)
export const HOST_VCPUS = HOST.cpuUnits / CPU_UNITS_PER_VCPU

/** How many t3.xlarge infra/cdk has for so many tasks: room for one more of any, wherever ECS has put the others. */
export function hostsFor(tasks: Counts): number {
  return fewestHosts(tasks, ROOM) ?? Number.NaN
}

/** CPU units that so many tasks reserve. */
function reservedUnits(counts: Counts): number {
  return Object.entries(counts).reduce(
    (sum, [type, count]) => sum + COMPONENTS[type as ComponentType].task.cpuUnits * count,
    0,
  )
}

/**
 * vCPUs that are used above the hosts' baseline, day in, day out; what T3 bills as surplus.
 *
 * @param utilisation the share of what tasks reserve that they really use
 */
export function surplusVcpus(counts: Counts, hosts: number, utilisation: number): number {
  const used = (reservedUnits(counts) / CPU_UNITS_PER_VCPU) * utilisation
  return Math.max(0, used - hosts * HOST_VCPUS * ASSUMPTIONS.t3Baseline.value)
}
