import { ratios } from './compare.ts'
import { type InputName, type Values, valuesWith } from './inputs.ts'
import { outcomeOf } from './outcome.ts'
import { documentsPolicy, ourPolicy, type Policy } from './policy.ts'
import { STORM_MINUTES, storm, type Trace } from './trace.ts'

/** The storm once more, with one thing changed that nobody has measured. */
export interface Variation {
  readonly what: string
  /** Ours divided by the documents', read as steps and as a target. */
  readonly steps: ReturnType<typeof ratios>
  readonly tracking: ReturnType<typeof ratios>
}

const VALUES: readonly [InputName, number][] = [
  ['metricDelaySeconds', 60],
  ['metricDelaySeconds', 180],
  ['placementSeconds', 90],
  ['jobSeconds', 30],
  ['jobSeconds', 180],
  ['jobsPerWebhook', 0.05],
  ['organisations', 3],
  ['organisations', 1],
]
const MINUTES = [5, 20]
const SEEDS = [2, 3]

/** @param changed inputs that are different in all of them */
export function vary(changed: Partial<Values>, seed: number, ours = ourPolicy()): Variation[] {
  const one = (what: string, trace: Trace, values: Values, drawn = seed): Variation => {
    const against = (policy: Policy) => outcomeOf({ trace, policy, values, seed: drawn })
    const mine = against(ours)
    const [steps, tracking] = [against(documentsPolicy('steps')), against(documentsPolicy('tracking'))]
    return { what, steps: ratios(mine, steps), tracking: ratios(mine, tracking) }
  }
  const values = valuesWith(changed)
  return [
    one('as it is', storm(), values),
    ...VALUES.map(([name, value]) =>
      one(`${name} ${value}`, storm(), valuesWith({ ...changed, [name]: value })),
    ),
    ...MINUTES.map((minutes) =>
      one(`${minutes} minutes instead of ${STORM_MINUTES}`, storm(minutes), values),
    ),
    ...SEEDS.map((drawn) => one(`seed ${drawn}`, storm(), values, drawn)),
  ]
}
