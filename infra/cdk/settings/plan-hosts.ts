import {
  type Counts,
  fits,
  HOST,
  hostsFor,
  inWords,
  mostThatFits,
  type Room,
  roomOf,
  TYPES,
} from '../../../src/ecs-capacity.ts'
import { SettingsError } from './settings-error.ts'

/** Of each type: CPU units and MiB as AWS sells them (2026-11), and the processor. */
export const INSTANCES = {
  't3.large': { cpuUnits: 2048, memoryMb: 8192, architecture: 'x86_64' },
  [HOST.name]: { ...HOST, architecture: 'x86_64' },
  't3.2xlarge': { cpuUnits: 8192, memoryMb: 32_768, architecture: 'x86_64' },
  'm7i.large': { cpuUnits: 2048, memoryMb: 8192, architecture: 'x86_64' },
  'm7i.xlarge': { cpuUnits: 4096, memoryMb: 16_384, architecture: 'x86_64' },
  'm7i.2xlarge': { cpuUnits: 8192, memoryMb: 32_768, architecture: 'x86_64' },
  'c7i.xlarge': { cpuUnits: 4096, memoryMb: 8192, architecture: 'x86_64' },
  't4g.xlarge': { cpuUnits: 4096, memoryMb: 16_384, architecture: 'arm64' },
  'm7g.large': { cpuUnits: 2048, memoryMb: 8192, architecture: 'arm64' },
  'm7g.xlarge': { cpuUnits: 4096, memoryMb: 16_384, architecture: 'arm64' },
  'm7g.2xlarge': { cpuUnits: 8192, memoryMb: 32_768, architecture: 'arm64' },
} as const

export type InstanceType = keyof typeof INSTANCES

export interface HostsAsked {
  readonly instance: InstanceType
  /** MiB of each host that no task is given: agent, Docker, whatever else runs there. */
  readonly reservedMemoryMb: number
  readonly hosts?: number | undefined
  readonly maxHosts?: number | undefined
  /** What scaling may go up to, as it was asked for. */
  readonly max?: Counts | undefined
}

export interface HostPlan {
  readonly hosts: number
  readonly maxHosts: number
  /** What scaling may go up to on maxHosts. */
  readonly max: Counts
  /** What was decided, to be printed. */
  readonly words: string
}

/**
 * How many hosts there are for so many tasks, so that any rolling update finds room for its first new task.
 *
 * @param limit what scaling goes up to where no most was asked for, as far as it fits the hosts that were
 * @throws SettingsError HOSTS_TOO_FEW, with what does fit
 */
export function planHosts(counts: Counts, limit: Counts, asked: HostsAsked): HostPlan {
  const { instance, max } = asked
  const room = roomOf(INSTANCES[instance], asked.reservedMemoryMb)
  const hosts = asked.hosts ?? hostsFor(counts, room)
  if (hosts === undefined) {
    throw new SettingsError(
      'HOSTS_TOO_SMALL',
      `No number of ${instance} holds ${inWords(counts)}: not every component fits one.`,
      'Choose a larger type with -c instance=….',
    )
  }
  requireFit(counts, hosts, asked)
  const maxHosts = asked.maxHosts ?? asked.hosts ?? Math.max(hosts, hostsFor(max ?? limit, room) ?? hosts)
  if (maxHosts < hosts) {
    throw new SettingsError(
      'SETTING_INVALID',
      `At most ${maxHosts} hosts are fewer than the ${hosts} that there are to be.`,
      'Raise -c maxHosts=….',
    )
  }
  if (max) requireFit(max, maxHosts, asked)
  const top = max ?? within(counts, limit, maxHosts, room)
  if (TYPES.some((type) => counts[type] > top[type])) {
    const what = `The counts ${inWords(counts)} are more than the most, ${inWords(top)}.`
    throw new SettingsError('SETTING_INVALID', what, 'Raise -c max=…, or ask for fewer.')
  }
  return {
    hosts,
    maxHosts,
    max: top,
    words:
      `${hosts} × ${instance} hold ${inWords(counts)} and one more of any component during an update; ` +
      `at most ${maxHosts} hold ${inWords(top)}.`,
  }
}

function within(counts: Counts, limit: Counts, hosts: number, room: Room): Counts {
  const most = mostThatFits(limit, hosts, room)
  return TYPES.every((type) => most[type] >= counts[type]) ? most : counts
}

function requireFit(counts: Counts, hosts: number, asked: HostsAsked): void {
  const room = roomOf(INSTANCES[asked.instance], asked.reservedMemoryMb)
  if (fits(counts, hosts, room)) return
  const needed = hostsFor(counts, room)
  throw new SettingsError(
    'HOSTS_TOO_FEW',
    `${hosts} × ${asked.instance} do not hold ${inWords(counts)} and one more task of any component, as a rolling update ` +
      `needs. They hold ${inWords(mostThatFits(counts, hosts, room))} (webhook-handler/api-rest/worker).`,
    needed
      ? `Ask for ${needed} hosts (-c hosts=${needed}), or for fewer tasks (-c counts=…).`
      : 'Choose a larger type with -c instance=….',
  )
}
