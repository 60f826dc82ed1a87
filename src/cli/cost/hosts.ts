import { COMPONENTS, type ComponentType, CPU_UNITS_PER_VCPU } from '../../components.ts'
import { ASSUMPTIONS } from './assumptions.ts'
import type { TaskCounts } from './task-counts.ts'

/** A container instance: a t3.xlarge. */
export const HOST = {
  name: 't3.xlarge',
  vcpus: 4,
  cpuUnits: 4 * CPU_UNITS_PER_VCPU,
  memoryMb: 16_384,
} as const

interface Room {
  cpuUnits: number
  memoryMb: number
}

/**
 * How many hosts hold so many tasks: the largest first, each on the first host with room for it. Every size of the
 * table is half of the next in processor and memory, so nothing packs them tighter.
 *
 * @param counts whole numbers of tasks
 */
export function hostsFor(counts: TaskCounts): number {
  const tasks = Object.entries(counts).flatMap(([type, count]) =>
    Array.from({ length: count }, (): Room => COMPONENTS[type as ComponentType].task),
  )
  tasks.sort((a, b) => b.cpuUnits - a.cpuUnits || b.memoryMb - a.memoryMb)
  const hosts: Room[] = []
  for (const task of tasks) {
    let host = hosts.find((room) => room.cpuUnits >= task.cpuUnits && room.memoryMb >= task.memoryMb)
    if (!host) {
      host = { cpuUnits: HOST.cpuUnits, memoryMb: HOST.memoryMb - ASSUMPTIONS.hostReservedMb.value }
      hosts.push(host)
    }
    host.cpuUnits -= task.cpuUnits
    host.memoryMb -= task.memoryMb
  }
  return hosts.length
}

/** CPU units that so many tasks reserve. */
export function reservedUnits(counts: TaskCounts): number {
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
export function surplusVcpus(counts: TaskCounts, hosts: number, utilisation: number): number {
  const used = (reservedUnits(counts) / CPU_UNITS_PER_VCPU) * utilisation
  return Math.max(0, used - hosts * HOST.vcpus * ASSUMPTIONS.t3Baseline.value)
}
