import type { Values } from './inputs.ts'
import { lastValues, type Series, visibleMinutes } from './metrics.ts'
import type { Metric, Rule, ServicePolicy } from './policy.ts'

/** What Application Auto Scaling remembers of a service. */
export interface Autoscaler {
  /** For each rule that has added tasks: how many were desired before, and when all that it added were there. */
  readonly grown: Map<Rule, { readonly from: number; at: number }>
  shrunkAt: number
}

export function createAutoscaler(): Autoscaler {
  return { grown: new Map(), shrunkAt: Number.NEGATIVE_INFINITY }
}

/** Cooldowns begin when what was asked for is there: to be said every second in which it is not. */
export function stillGrowing(scaler: Autoscaler, now: number): void {
  for (const growth of scaler.grown.values()) growth.at = now
}

interface Situation {
  readonly now: number
  readonly desired: number
  /** A deployment pauses scaling in. */
  readonly deploying: boolean
  readonly series: Series
  readonly policy: ServicePolicy
  readonly values: Values
}

/** One evaluation of all alarms. @returns the number of tasks that is desired from now on */
export function evaluate(scaler: Autoscaler, situation: Situation): number {
  const { desired, policy } = situation
  const more = Math.max(...policy.rules.map((rule) => grow(scaler, rule, situation)), desired)
  if (more > desired) return Math.min(more, policy.tasks.max)
  return shrink(scaler, situation)
}

/** What a rule would have at least; remembers when it has added something. */
function grow(scaler: Autoscaler, rule: Rule, { now, desired, policy, values, series }: Situation): number {
  const before = scaler.grown.get(rule)
  const cooling = before !== undefined && now - before.at < policy.cooldown.outSeconds
  // What was added is part of what is wanted next until it has had time to show.
  const from = cooling ? before.from : desired
  const wanted = wantedMore(rule, from, seen(series, now, values), values)
  const more = Math.min(wanted, policy.tasks.max)
  if (more <= desired) return desired
  scaler.grown.set(rule, cooling ? before : { at: now, from: desired })
  return more
}

type Seen = (metric: Metric, count: number) => number[] | undefined

function seen(series: Series, now: number, values: Values): Seen {
  const until = visibleMinutes(now, values.metricDelaySeconds)
  return (metric, count) => lastValues(series, { metric, until, count })
}

function wantedMore(rule: Rule, from: number, last: Seen, values: Values): number {
  if (rule.kind === 'track') {
    const points = last(rule.metric, values.trackingOutMinutes)
    if (!points?.every((value) => value > rule.target)) return 0
    return Math.ceil((from * (points.at(-1) ?? 0)) / rule.target)
  }
  if (rule.kind === 'above') {
    const [value] = last(rule.metric, 1) ?? []
    return value !== undefined && value > rule.value ? from + rule.addTasks : 0
  }
  return 0
}

function shrink(scaler: Autoscaler, { now, desired, deploying, policy, values, series }: Situation): number {
  const { rules, tasks, cooldown } = policy
  if (deploying || now - scaler.shrunkAt < cooldown.inSeconds) return desired
  const last = seen(series, now, values)
  const tracks = rules.filter((rule) => rule.kind === 'track').filter(({ scalesIn }) => scalesIn)
  const proposals = rules.flatMap((rule) => wantedFewer(rule, desired, last))
  const tracked = tracks.map((rule) => lowered(rule, desired, last, values))
  // Of several targets, all have to agree, and the one that keeps most tasks counts.
  if (tracked.length > 0) proposals.push(Math.max(...tracked))
  const fewer = Math.max(Math.min(desired, ...proposals), tasks.min)
  if (fewer < desired) scaler.shrunkAt = now
  return Math.min(fewer, desired)
}

function wantedFewer(rule: Rule, desired: number, last: Seen): number[] {
  if (rule.kind === 'below') {
    const [value] = last(rule.metric, 1) ?? []
    return value !== undefined && value < rule.value ? [desired - rule.removeTasks] : []
  }
  if (rule.kind === 'idle') {
    const waited = last('claimable-jobs', rule.minutes)
    const busy = last('busy-share', rule.minutes)
    const idle = waited?.every((jobs) => jobs === 0) && busy?.every((share) => share < rule.busyBelow)
    return idle ? [desired - Math.max(1, Math.floor((desired * rule.removePercent) / 100))] : []
  }
  return []
}

function lowered(
  { metric, target }: Extract<Rule, { kind: 'track' }>,
  desired: number,
  last: Seen,
  values: Values,
): number {
  const points = last(metric, values.trackingInMinutes)
  if (!points?.every((value) => value < target * values.trackingInShare)) return desired
  return Math.min(desired, Math.ceil((desired * (points.at(-1) ?? target)) / target))
}
