import type { ComponentType } from '../src/components.ts'
import { LEASE_SECONDS } from '../src/jobs/job.ts'
import { SERVICES, type Service } from './network.ts'
import type { ChaosOptions } from './options.ts'
import type { Random } from './random.ts'

/** One thing that goes wrong, when, and for how long. */
export type Fault = { at: number; seconds: number } & FaultKind

export type FaultKind =
  | { kind: 'kill' | 'freeze' | 'restart' | 'clock'; process: string; clockSeconds?: number }
  | { kind: 'store-kill' | 'store-restart'; store: 'database' | 'broker' }
  | { kind: 'broker-freeze' | 'broker-disk' }
  | {
      kind: 'link-cut' | 'link-blackhole' | 'link-slow'
      service: Service
      process: string | undefined
      delayMs?: number
    }
  | { kind: 'forge'; how: ForgeFailure; where: ForgePlace; times: number }
  | { kind: 'model'; how: ModelFailure; times: number }

export const FORGE_FAILURES = [
  'fails', 'does-it-and-fails', 'hangs-up', 'does-it-and-hangs-up', 'breaks-off', 'hangs',
  'does-it-and-hangs', 'limits', 'limits-secondarily', 'forgets-who-we-are', 'fails-in-graphql',
] as const // biome-ignore format: a list
export type ForgeFailure = (typeof FORGE_FAILURES)[number]

/** Where a review becomes visible is where most could go wrong. */
const PLACES = {
  anywhere: 1,
  'create-review': 2,
  'submit-review': 4,
  comment: 1,
  'check-run': 1,
  'pull-request': 1,
}
export type ForgePlace = keyof typeof PLACES

export const MODEL_FAILURES = ['fails', 'limits', 'hangs-up', 'breaks-off', 'hangs', 'babbles'] as const
export type ModelFailure = (typeof MODEL_FAILURES)[number]

/** How often each sort strikes. */
const WEIGHTS = {
  kill: 6,
  freeze: 6,
  restart: 3,
  clock: 2,
  database: 4,
  broker: 6,
  link: 10,
  forge: 8,
  model: 3,
}

export type Sort = keyof typeof WEIGHTS
export const SORTS = Object.keys(WEIGHTS) as Sort[]

/** Workers are struck as often as the others together: most of what can go wrong, goes wrong there. */
const STRUCK = { worker: 4, webhook: 3, api: 1 }

/** A database away for longer than this is no different. */
const LONGEST_OUTAGE_SECONDS = 15

/**
 * What strikes in a run, and at which webhook: the same for the same seed. Each of the first few is of another
 * sort, so that a short run has seen most of them; nothing strikes in the last twentieth.
 */
export function planFaults(
  options: ChaosOptions,
  processes: readonly { name: string; type: ComponentType }[],
  random: Random,
): Fault[] {
  const { webhooks, faults, queue, longestSeconds, sorts } = options
  const possible = sorts.filter((sort) => sort !== 'broker' || queue === 'rabbitmq')
  const weights = Object.fromEntries(possible.map((sort) => [sort, WEIGHTS[sort]])) as Record<Sort, number>
  const first = shuffle(possible, random)
  return Array.from({ length: faults }, (_, index) => {
    const at = Math.round(webhooks * (0.03 + 0.92 * ((index + random.next() * 0.8) / faults)))
    const kind = first[index] ?? random.weighted(weights)
    return { at, ...drawFault(kind, { longestSeconds, queue, processes }, random) }
  })
}

function drawFault(
  kind: Sort,
  {
    longestSeconds,
    queue,
    processes,
  }: Pick<ChaosOptions, 'longestSeconds' | 'queue'> & {
    processes: readonly { name: string; type: ComponentType }[]
  },
  random: Random,
): FaultKind & { seconds: number } {
  const seconds = (longest: number) =>
    Math.round((1 + random.next() * (Math.min(longest, longestSeconds) - 1)) * 10) / 10
  const struck = (): string => {
    const type = random.weighted(STRUCK)
    return random.pick(processes.filter((process) => process.type === type)).name
  }
  switch (kind) {
    case 'kill':
    case 'restart':
      return { kind, process: struck(), seconds: 0 }
    case 'freeze': {
      // Half of them end about when others take over: a lease has been renewed within its last third.
      const aboutTheLease = LEASE_SECONDS * (2 / 3) + random.next() * (LEASE_SECONDS / 2)
      const long = longestSeconds > aboutTheLease && random.chance(0.5)
      return {
        kind,
        process: struck(),
        seconds: long ? Math.round(aboutTheLease * 10) / 10 : seconds(longestSeconds),
      }
    }
    case 'clock': {
      const clockSeconds = random.pick([-7_200, -90, 90, 7_200])
      return { kind, process: struck(), clockSeconds, seconds: seconds(longestSeconds) }
    }
    case 'database':
      return {
        kind: random.chance(0.6) ? 'store-kill' : 'store-restart',
        store: 'database',
        seconds: seconds(LONGEST_OUTAGE_SECONDS),
      }
    case 'broker': {
      const how = random.weighted({
        'store-kill': 2,
        'store-restart': 2,
        'broker-freeze': 1,
        'broker-disk': 2,
      })
      if (how === 'store-kill' || how === 'store-restart') {
        return { kind: how, store: 'broker', seconds: seconds(LONGEST_OUTAGE_SECONDS) }
      }
      return { kind: how, seconds: seconds(LONGEST_OUTAGE_SECONDS) }
    }
    case 'link': {
      const how = random.weighted({ 'link-cut': 2, 'link-blackhole': 3, 'link-slow': 2 })
      const service = random.pick(SERVICES.filter((each) => each !== 'broker' || queue === 'rabbitmq'))
      const workers = processes.filter(({ type }) => type === 'worker')
      const able =
        service === 'database'
          ? processes
          : service === 'broker'
            ? processes.filter(({ type }) => type !== 'api')
            : workers
      const process = random.chance(0.5) ? random.pick(able).name : undefined
      const delayMs = how === 'link-slow' ? random.whole(50, 400) : undefined
      return {
        kind: how,
        service,
        process,
        ...(delayMs && { delayMs }),
        seconds: seconds(LONGEST_OUTAGE_SECONDS),
      }
    }
    case 'forge':
      return {
        kind,
        how: random.pick(FORGE_FAILURES),
        where: random.weighted(PLACES),
        times: random.whole(1, 6),
        seconds: seconds(LONGEST_OUTAGE_SECONDS),
      }
    case 'model':
      return {
        kind,
        how: random.pick(MODEL_FAILURES),
        times: random.whole(1, 6),
        seconds: seconds(LONGEST_OUTAGE_SECONDS),
      }
  }
}

function shuffle<Item>(items: readonly Item[], random: Random): Item[] {
  const left = [...items]
  return items.map(() => left.splice(random.whole(0, left.length - 1), 1)[0] as Item)
}

/** Its name in the report. */
export function nameOf(fault: FaultKind): string {
  switch (fault.kind) {
    case 'kill':
    case 'freeze':
    case 'restart':
    case 'clock':
      return `${fault.kind} ${fault.process.replace(/-\d+$/, '')}`
    case 'store-kill':
    case 'store-restart':
      return `${fault.kind === 'store-kill' ? 'kill' : 'restart'} ${fault.store}`
    case 'broker-freeze':
      return 'freeze broker'
    case 'broker-disk':
      return 'full disk of the broker'
    case 'link-cut':
    case 'link-blackhole':
    case 'link-slow':
      return `${fault.kind.replace('link-', '')} link to ${fault.service}`
    case 'forge':
      return `forge ${fault.how}`
    case 'model':
      return `model ${fault.how}`
  }
}
