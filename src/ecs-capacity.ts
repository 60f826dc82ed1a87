import { COMPONENTS, type ComponentType } from './components.ts'
import type { EnvironmentName } from './ecs-names.ts'

/** How many tasks there are of each component; fractions where it is an average. */
export type Counts = Readonly<Record<ComponentType, number>>

/** What tasks may use of one host: CPU units, and MiB after the system's share. */
export interface Room {
  readonly cpuUnits: number
  readonly memoryMb: number
}

export const TYPES = Object.keys(COMPONENTS) as ComponentType[]

/** The container instance that is started where no other is asked for. */
export const HOST = { name: 't3.xlarge', cpuUnits: 4096, memoryMb: 16_384 } as const

/** MiB: what agent, Docker and the system's processes are left on a host of ECS's own. */
export const RESERVED_MB = 512

/** What firmware and kernel keep of the memory before ECS sees it: 2 to 4 % on AWS's types, and a margin. */
const KERNEL_SHARE = 0.05

/** What all task sizes are whole multiples of. */
const GRAIN = {
  cpuUnits: TYPES.map((type) => COMPONENTS[type].task.cpuUnits).reduce<number>(divisor, 0),
  memoryMb: TYPES.map((type) => COMPONENTS[type].task.memoryMb).reduce<number>(divisor, 0),
}

/** Something for each component. */
export function perComponent<T>(make: (type: ComponentType) => T): Record<ComponentType, T> {
  return { webhook: make('webhook'), api: make('api'), worker: make('worker') }
}

/** One column of the component table. */
export function ofTable(column: 'min' | 'desired' | 'max'): Counts {
  return perComponent((type) => COMPONENTS[type].tasks[column])
}

/** What scaling goes up to by default. In staging the small database has no connections for more. */
export function mostOf(environment: EnvironmentName): Counts {
  return ofTable(environment === 'production' ? 'max' : 'desired')
}

/** What tasks may use of one host of this size. */
export function roomOf({ cpuUnits, memoryMb }: Room, reservedMb: number = RESERVED_MB): Room {
  return { cpuUnits, memoryMb: Math.floor(memoryMb * (1 - KERNEL_SHARE)) - reservedMb }
}

/**
 * Whether so many tasks run on so many hosts and one more of any component still finds room, as a rolling update needs it:
 * in whatever order they came and wherever ECS has put them, not only where they happen to be packed well.
 *
 * A task of s grains finds no host only when each of them, with room for m, holds more than m − s. All others together are
 * too few for that when they have less than hosts × (m − s + 1) grains.
 */
export function fits(counts: Counts, hosts: number, room: Room): boolean {
  const holds = Math.min(...grains(room, Math.floor))
  const running = TYPES.reduce((sum, type) => sum + counts[type] * size(type), 0)
  return TYPES.every((type) => size(type) <= holds && running < hosts * (holds - size(type) + 1))
}

/** Of the counts asked for what does fit: as many rounds of one task each as there is room for. */
export function mostThatFits(asked: Counts, hosts: number, room: Room): Counts {
  const rounds = Math.max(...TYPES.map((type) => asked[type]))
  let most = atMost(asked, 0)
  for (let round = 1; round <= rounds; round++) {
    const next = atMost(asked, round)
    if (!fits(next, hosts, room)) break
    most = next
  }
  return most
}

/** The fewest hosts that the counts fit, and one more of any component; undefined when no number of them does. */
export function hostsFor(counts: Counts, room: Room, most = 1000): number | undefined {
  for (let hosts = 1; hosts <= most; hosts++) if (fits(counts, hosts, room)) return hosts
  return undefined
}

/** As `3/5/10`: webhook-handler, api-rest, worker. */
export function inWords(counts: Counts): string {
  return TYPES.map((type) => counts[type]).join('/')
}

/** In grains, by whichever of the two is more. */
function size(type: ComponentType): number {
  return Math.max(...grains(COMPONENTS[type].task, Math.ceil))
}

function grains({ cpuUnits, memoryMb }: Room, round: (value: number) => number): [number, number] {
  return [round(cpuUnits / GRAIN.cpuUnits), round(memoryMb / GRAIN.memoryMb)]
}

function atMost(asked: Counts, round: number): Counts {
  const { webhook, api, worker } = asked
  return {
    webhook: Math.min(webhook, round),
    api: Math.min(api, round),
    worker: Math.min(worker, round),
  }
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b)
}
