import { type Channel, channel } from 'node:diagnostics_channel'

/** What is measured, in OpenTelemetry's terms: `kodus.attempt.duration`, unit `s`. */
export interface Definition {
  name: string
  kind: 'counter' | 'gauge' | 'histogram'
  /** UCUM: `s`, `By`, `1`, or an annotation as `{job}`. */
  unit: string
  help: string
  labels: readonly string[]
  /** Upper bounds of a histogram's buckets, ascending; what is above the last counts too. */
  buckets: readonly number[]
}

/** One measured value. `labels` holds the values, in the order of the definition. */
export interface Measurement {
  labels: readonly string[]
  value: number
}

/** What an instrument stood at when it was asked. */
export interface Observation extends Measurement {
  definition: Definition
}

type LabelValues<Label extends string> = Readonly<Record<Label, string>>

/** Measurements are published on a channel: where nobody counts, they cost a comparison. */
export interface Instrument {
  readonly definition: Definition
  readonly measurements: Channel
}

export interface Counter<Label extends string> extends Instrument {
  /** @param amount not negative */
  add(labels: LabelValues<Label>, amount?: number): void
}

export interface Histogram<Label extends string> extends Instrument {
  record(labels: LabelValues<Label>, value: number): void
}

/** Asked, not told: see `Registry.observe`. */
export interface Observable<Label extends string> extends Instrument {
  is(value: number, labels: LabelValues<Label>): Observation
}

interface About<Label extends string> {
  unit: string
  help: string
  /** Their values must come from a small, closed set: never a repository, an account or an id. */
  labels?: readonly Label[]
}

export function counter<const Label extends string = never>(
  name: string,
  about: About<Label>,
): Counter<Label> {
  const { instrument, publish } = define('counter', name, about)
  return { ...instrument, add: (labels, amount = 1) => publish(labels, amount) }
}

export function histogram<const Label extends string = never>(
  name: string,
  about: About<Label> & { buckets: readonly number[] },
): Histogram<Label> {
  const { instrument, publish } = define('histogram', name, about)
  return { ...instrument, record: publish }
}

export function gauge<const Label extends string = never>(
  name: string,
  about: About<Label>,
): Observable<Label> {
  return observable(define('gauge', name, about))
}

/** A counter that somebody else counts: what is observed is its sum since the start. */
export function total<const Label extends string = never>(
  name: string,
  about: About<Label>,
): Observable<Label> {
  return observable(define('counter', name, about))
}

function observable<Label extends string>({
  instrument,
  valuesOf,
}: ReturnType<typeof define<Label>>): Observable<Label> {
  const { definition } = instrument
  return { ...instrument, is: (value, labels) => ({ definition, labels: valuesOf(labels), value }) }
}

function define<Label extends string>(
  kind: Definition['kind'],
  name: string,
  { unit, help, labels = [], buckets = [] }: About<Label> & { buckets?: readonly number[] },
) {
  const measurements = channel(`kodus:metric:${name}`)
  const definition: Definition = { name, kind, unit, help, labels, buckets }
  const valuesOf = (given: LabelValues<Label>) => labels.map((label) => given[label])
  const publish = (given: LabelValues<Label>, value: number) => {
    if (!measurements.hasSubscribers) return
    measurements.publish({ labels: valuesOf(given), value } satisfies Measurement)
  }
  return { instrument: { definition, measurements }, valuesOf, publish }
}

/** Milliseconds of `performance.now()` since `began`, in the seconds that durations are measured in. */
export function secondsSince(began: number): number {
  return (performance.now() - began) / 1000
}
