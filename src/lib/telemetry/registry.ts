import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { within } from '../within.ts'
import type { Definition, Instrument, Measurement, Observation } from './instrument.ts'

/** One combination of label values, cumulated since the registry was made. */
export interface Series {
  labels: readonly string[]
  /** A counter's sum or a gauge's value; of a histogram, the sum of what was recorded. */
  value: number
  /** Of a histogram: how many values fell into each bucket, and above the last. */
  counts: number[]
}

/** Everything that is known of one instrument. */
export interface Family {
  definition: Definition
  series: Series[]
}

export interface Registry {
  /** When it began to count. */
  readonly since: Date
  /**
   * Adds a source of what is asked at each collection. What fails, or takes longer than 2 s, is left out and
   * logged once.
   */
  observe(what: string, read: () => readonly Observation[] | Promise<readonly Observation[]>): void
  /** What there is to tell now. Never rejects; who asks while others wait gets their answer. */
  collect(): Promise<Family[]>
  /** Counts no more. */
  close(): void
}

/** As OpenTelemetry's SDKs have it: past this, a label is not from the closed set that it should be from. */
const MAX_SERIES = 2_000

const OBSERVE_WITHIN_MS = 2_000

/**
 * Counts what the instruments measure, from now on. Of its own because the webhook handler measures in its
 * busiest place: OpenTelemetry's SDK takes 19 MB there, its API alone, doing nothing, takes 5.
 */
export function createRegistry(instruments: readonly Instrument[], log: Log): Registry {
  const since = new Date()
  const families = new Map<string, { definition: Definition; series: Map<string, Series> }>()
  const observers: { what: string; read: () => Promise<readonly Observation[]>; failure?: string }[] = []

  const closers = instruments.map(({ definition, measurements }) => {
    const family = { definition, series: new Map<string, Series>() }
    families.set(definition.name, family)
    if (definition.kind !== 'gauge' && definition.labels.length === 0) seriesOf(family, [])
    const count = (message: unknown) => record(family, message as Measurement)
    measurements.subscribe(count)
    return () => measurements.unsubscribe(count)
  })

  /** A gauge tells what stands now: what nobody observes any more is gone. */
  async function observeAll(): Promise<void> {
    const found = await Promise.all(observers.map(observeOne))
    for (const { definition, series } of families.values()) if (definition.kind === 'gauge') series.clear()
    for (const { definition, labels, value } of found.flat()) {
      const family = families.get(definition.name)
      if (family && Number.isFinite(value)) seriesOf(family, labels).value = value
    }
  }

  async function observeOne(observer: (typeof observers)[number]): Promise<readonly Observation[]> {
    try {
      const observed = await within(OBSERVE_WITHIN_MS, observer.read(), 'no answer')
      delete observer.failure
      return observed
    } catch (error) {
      const failure = messageOf(error)
      if (failure !== observer.failure) log.warn(`not measured (${observer.what}): ${failure}`)
      observer.failure = failure
      return []
    }
  }

  let collecting: Promise<Family[]> | undefined
  const collect = async (): Promise<Family[]> => {
    await observeAll()
    return [...families.values()]
      .map(({ definition, series }) => ({ definition, series: [...series.values()].map(copy) }))
      .filter(({ series }) => series.length > 0)
  }

  return {
    since,
    observe: (what, read) => void observers.push({ what, read: async () => read() }),
    collect: () => {
      collecting ??= collect().finally(() => {
        collecting = undefined
      })
      return collecting
    },
    close: () => {
      for (const close of closers) close()
    },
  }
}

function record(
  family: { definition: Definition; series: Map<string, Series> },
  { labels, value }: Measurement,
): void {
  const series = seriesOf(family, labels)
  series.value += value
  if (family.definition.kind !== 'histogram') return
  const { buckets } = family.definition
  let bucket = 0
  while (bucket < buckets.length && value > (buckets[bucket] ?? 0)) bucket++
  series.counts[bucket] = (series.counts[bucket] ?? 0) + 1
}

function seriesOf(
  { definition, series }: { definition: Definition; series: Map<string, Series> },
  labels: readonly string[],
): Series {
  const known = series.get(labels.join('\0'))
  if (known) return known
  if (series.size >= MAX_SERIES && labels[0] !== OVERFLOW) {
    return seriesOf({ definition, series }, labels.map(overflow))
  }
  const counts = definition.kind === 'histogram' ? Array(definition.buckets.length + 1).fill(0) : []
  const made: Series = { labels, value: 0, counts }
  series.set(labels.join('\0'), made)
  return made
}

const OVERFLOW = 'overflow'
const overflow = () => OVERFLOW

function copy({ labels, value, counts }: Series): Series {
  return { labels, value, counts: [...counts] }
}
