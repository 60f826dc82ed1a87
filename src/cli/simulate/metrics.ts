import type { Metric } from './policy.ts'

/** What CloudWatch was told of one minute; what is missing was not told. */
export type Datapoints = Readonly<Partial<Record<Metric, number>>>

/** The minutes that CloudWatch shows by now. */
export interface Series {
  readonly minutes: Datapoints[]
}

/** How many of the minutes so far can be seen at a moment: each only some time after its end. */
export function visibleMinutes(now: number, delaySeconds: number): number {
  return Math.max(0, Math.floor((now - delaySeconds) / 60))
}

/** The last values of a metric up to a minute, or undefined when one of them is missing: then no alarm is raised. */
export function lastValues(
  { minutes }: Series,
  { metric, until, count }: { metric: Metric; until: number; count: number },
): number[] | undefined {
  if (until < count) return undefined
  const values = minutes.slice(until - count, until).map((minute) => minute[metric])
  return values.every((value) => value !== undefined) && values.length === count ? values : undefined
}
