import type { ComponentType } from '../../components.ts'

/** What comes from outside, from a second on until the next phase. */
export interface Phase {
  readonly fromSecond: number
  readonly webhooksPerMinute: number
  readonly apiRequestsPerMinute: number
  /** How much longer than usual its reviews take. */
  readonly jobFactor: number
}

/** Everything that happens to an installation, to the second. */
export interface Trace {
  readonly name: string
  readonly what: string
  readonly seconds: number
  /** In order; the first one from second 0. */
  readonly phases: readonly Phase[]
  /** When the burst begins that draining is measured from, and when it is over. */
  readonly burst: { readonly fromSecond: number; readonly toSecond: number }
  readonly deploys: readonly { readonly atSecond: number; readonly component: ComponentType }[]
  /** While CloudWatch is told nothing. */
  readonly silences: readonly { readonly fromSecond: number; readonly toSecond: number }[]
}

const MINUTE = 60
/** Long enough for every policy to have settled at what it keeps in normal times. */
const BEFORE = 90 * MINUTE
const AFTER = 180 * MINUTE

/** One a second. */
const NORMAL: Omit<Phase, 'fromSecond'> = { webhooksPerMinute: 60, apiRequestsPerMinute: 300, jobFactor: 1 }

interface Burst {
  minutes: number
  phase: Partial<Omit<Phase, 'fromSecond'>>
  deploys?: readonly ComponentType[]
}

function burst(name: string, what: string, { minutes, phase, deploys = [] }: Burst): Trace {
  const end = BEFORE + minutes * MINUTE
  return {
    name,
    what,
    seconds: end + AFTER,
    phases: [
      { fromSecond: 0, ...NORMAL },
      { fromSecond: BEFORE, ...NORMAL, ...phase },
      { fromSecond: end, ...NORMAL },
    ],
    burst: { fromSecond: BEFORE, toSecond: end },
    // In the middle of it.
    deploys: deploys.map((component) => ({ atSecond: BEFORE + (minutes * MINUTE) / 2, component })),
    silences: [],
  }
}

export const STORM_MINUTES = 10

/** A hundred times the normal load, for so long: a bot that touches every repository. */
export function storm(minutes = STORM_MINUTES, deploys: readonly ComponentType[] = []): Trace {
  const webhooksPerMinute = 100 * NORMAL.webhooksPerMinute
  const suffix = deploys.length > 0 ? ', and a deploy in it' : ''
  return burst(
    deploys.length > 0 ? 'deploy' : 'storm',
    `${webhooksPerMinute} webhooks a minute for ${minutes} minutes${suffix}`,
    { minutes, phase: { webhooksPerMinute }, deploys },
  )
}

export const TRACES: readonly Trace[] = [
  burst('webhooks', 'the documents\' "Pico de Webhooks": 1,000 webhooks a minute for 30 minutes', {
    minutes: 30,
    phase: { webhooksPerMinute: 1_000 },
  }),
  burst(
    'reviews',
    'the documents\' "Processamento Pesado": 300 webhooks a minute for 30 minutes, whose reviews take five times as long',
    { minutes: 30, phase: { webhooksPerMinute: 300, jobFactor: 5 } },
  ),
  storm(),
  storm(STORM_MINUTES, ['webhook', 'worker']),
]

/** 24 hours: a quiet night, a working day, and a rush before lunch and before the evening. */
export const WORKING_DAY: Trace = {
  name: 'day',
  what: 'a working day: 6 webhooks a minute at night, 60 by day, 300 in two rushes of an hour',
  seconds: 24 * 60 * MINUTE,
  phases: [
    [0, 6],
    [8, 60],
    [11, 300],
    [12, 60],
    [16, 300],
    [17, 60],
    [20, 6],
  ].map(([hour = 0, webhooksPerMinute = 0]) => ({
    fromSecond: hour * 60 * MINUTE,
    webhooksPerMinute,
    apiRequestsPerMinute: webhooksPerMinute * 5,
    jobFactor: 1,
  })),
  burst: { fromSecond: 16 * 60 * MINUTE, toSecond: 17 * 60 * MINUTE },
  deploys: [],
  silences: [],
}
