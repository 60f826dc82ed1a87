import type { Values } from './inputs.ts'
import { type Outcome, outcomeOf } from './outcome.ts'
import { documentsPolicy, mostPolicy, ourPolicy, type Policy } from './policy.ts'
import type { Trace } from './trace.ts'

/** One trace against each policy. */
export interface Comparison {
  readonly trace: Trace
  readonly ours: Outcome
  /** The documents' words read as steps, and as a target. */
  readonly documents: { readonly steps: Outcome; readonly tracking: Outcome }
  /** With as many workers as there may be, always: what no policy drains faster than. */
  readonly bound: Outcome
}

export interface Settings {
  readonly values: Values
  readonly seed: number
  readonly ours?: Policy
}

export function compare(trace: Trace, { values, seed, ours = ourPolicy() }: Settings): Comparison {
  const against = (policy: Policy) => outcomeOf({ trace, policy, values, seed })
  return {
    trace,
    ours: against(ours),
    documents: { steps: against(documentsPolicy('steps')), tracking: against(documentsPolicy('tracking')) },
    bound: against(mostPolicy()),
  }
}

/** The outcomes of a comparison, in the order in which they are shown. */
export function outcomesOf({ ours, documents, bound }: Comparison): Outcome[] {
  return [documents.steps, documents.tracking, ours, bound]
}

/** Ours divided by the documents'; undefined where one of them was still draining at the end. */
export interface Ratios {
  readonly drain: number | undefined
  readonly cost: number
}

export function ratios(ours: Outcome, theirs: Outcome): Ratios {
  const [mine, other] = [ours.drainSeconds, theirs.drainSeconds]
  return {
    drain: mine === undefined || other === undefined ? undefined : mine / other,
    cost: ours.dollars.all / theirs.dollars.all,
  }
}
