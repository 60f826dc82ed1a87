import { COMPONENTS } from '../../components.ts'
import { amount, type Table } from '../cost/table.ts'
import { type Comparison, outcomesOf, ratios } from './compare.ts'
import { INPUTS, type InputName, type Values } from './inputs.ts'
import type { Outcome } from './outcome.ts'
import type { Variation } from './vary.ts'

/** What came of each trace under each policy. */
export function outcomeTable(comparisons: readonly Comparison[]): Table {
  return {
    header: [
      'trace',
      'policy',
      'most tasks at once',
      'webhooks refused',
      'oldest job',
      'drained after',
      'deployed after',
      'begun again',
      'dollars',
    ],
    rows: comparisons.flatMap((comparison) => outcomesOf(comparison).map(rowOf)),
  }
}

function rowOf(outcome: Outcome): string[] {
  const { most } = outcome
  return [
    outcome.trace,
    outcome.policy,
    `${most.webhook} / ${most.api} / ${most.worker}`,
    amount(outcome.refused),
    minutes(outcome.oldestSeconds),
    minutes(outcome.drainSeconds),
    outcome.deploySeconds === undefined ? '–' : minutes(outcome.deploySeconds),
    outcome.killed > 0 ? `${outcome.killed} killed` : `${outcome.handedBack}`,
    `$${outcome.dollars.all.toFixed(2)}`,
  ]
}

function minutes(seconds: number | undefined): string {
  return seconds === undefined ? 'never' : `${(seconds / 60).toFixed(1)} min`
}

/** The storm with one input changed: ours divided by the documents'. */
export function variationTable(variations: readonly Variation[]): Table {
  const cells = ({ drain, cost }: Variation['steps']) => [drain?.toFixed(2) ?? '–', cost.toFixed(2)]
  return {
    header: ['the storm, with', 'time (steps)', 'cost (steps)', 'time (tracking)', 'cost (tracking)'],
    rows: variations.map(({ what, steps, tracking }) => [what, ...cells(steps), ...cells(tracking)]),
  }
}

/** What was taken as given. */
export function inputTable(values: Values): Table {
  return {
    header: ['input', 'value', 'unit', 'kind', 'source'],
    rows: Object.entries(INPUTS).map(([name, { value, unit, kind, source }]) => {
      const used = values[name as InputName]
      const said = used === value ? source : `given on the command line instead of ${value}`
      return [name, String(Number(used.toPrecision(3))), unit, kind, said]
    }),
  }
}

/** The figures by which a change of a policy is judged. */
export interface Figures {
  trace: string
  drain_ratio: number | null
  cost_ratio: number
  drain_ratio_tracking: number | null
  cost_ratio_tracking: number
  /** What always having the most workers would give: no policy is below. */
  drain_ratio_bound: number | null
  oldest_job_ratio: number
  webhooks_refused: number
  interrupted_jobs: number
  most_workers: number
}

export function figuresOf({ trace, ours, documents, bound }: Comparison): Figures {
  const steps = ratios(ours, documents.steps)
  const tracking = ratios(ours, documents.tracking)
  return {
    trace: trace.name,
    drain_ratio: rounded(steps.drain),
    cost_ratio: Number(steps.cost.toFixed(3)),
    drain_ratio_tracking: rounded(tracking.drain),
    cost_ratio_tracking: Number(tracking.cost.toFixed(3)),
    drain_ratio_bound: rounded(ratios(bound, documents.steps).drain),
    oldest_job_ratio: Number((ours.oldestSeconds / documents.steps.oldestSeconds).toFixed(3)),
    webhooks_refused: ours.refused,
    interrupted_jobs: ours.killed + ours.handedBack,
    most_workers: ours.most.worker,
  }
}

function rounded(ratio: number | undefined): number | null {
  return ratio === undefined ? null : Number(ratio.toFixed(3))
}

/** What the figures mean, in sentences. */
export function verdict(comparison: Comparison): string[] {
  const { ours, documents, bound } = comparison
  const figures = figuresOf(comparison)
  const percent = (ratio: number | null) => (ratio === null ? '–' : `${Math.round(100 * ratio)} %`)
  return [
    `Drained in ${percent(figures.drain_ratio)} of the time of the documents' steps, at ${percent(figures.cost_ratio)} of the cost;` +
      ` ${percent(figures.drain_ratio_tracking)} and ${percent(figures.cost_ratio_tracking)} against their words read as a target.`,
    `${COMPONENTS.worker.tasks.max} workers from the first second would have taken ${minutes(bound.drainSeconds)}` +
      ` (${percent(figures.drain_ratio_bound)}): no policy is faster with so many.`,
    `Jobs that were killed: ${ours.killed} against ${documents.steps.killed} and ${documents.tracking.killed}.`,
  ]
}
