import { type Channel, channel } from 'node:diagnostics_channel'

/**
 * The moments at which it matters what becomes of a process, and what is told of each. Each has a test in
 * test/e2e/strikes that stops a process there.
 */
export interface Moments {
  /** The signature is valid. Nothing of the webhook is stored anywhere. */
  'webhook-verified': { forge: string }
  /** Their rows are committed. Nobody has been told. */
  'deliveries-committed': { count: number }
  /** The queue has the jobs for good. */
  'jobs-published': { count: number }
  /** An attempt begins: it has the lease, and has done nothing. */
  'job-claimed': { jobId: string; repository: string }
  'model-asked': { model: string }
  /** Nothing of the answer is stored. */
  'model-answered': { model: string }
  /** The intent to post is committed. Nothing is at the forge. */
  'intent-committed': { jobId: string }
  /** The forge has the review, and shows it to nobody. */
  'review-pending': { jobId: string }
  /** The last check was passed: the request that makes the review visible comes next. */
  'review-submitting': { jobId: string }
  /** It is visible. Nothing of that is recorded. */
  'review-submitted': { jobId: string }
  /** It is recorded what became of an attempt. Its message is not acknowledged. */
  'job-ended': { jobId: string; how: string }
}

const CHANNELS = {
  'webhook-verified': channel('kodus:webhook-verified'),
  'deliveries-committed': channel('kodus:deliveries-committed'),
  'jobs-published': channel('kodus:jobs-published'),
  'job-claimed': channel('kodus:job-claimed'),
  'model-asked': channel('kodus:model-asked'),
  'model-answered': channel('kodus:model-answered'),
  'intent-committed': channel('kodus:intent-committed'),
  'review-pending': channel('kodus:review-pending'),
  'review-submitting': channel('kodus:review-submitting'),
  'review-submitted': channel('kodus:review-submitted'),
  'job-ended': channel('kodus:job-ended'),
} satisfies Record<keyof Moments, Channel>

export const MOMENTS = Object.keys(CHANNELS) as readonly (keyof Moments)[]

/** Says that a moment was reached, at once, to whoever listens. Costs nothing where nobody does. */
export function reached<Moment extends keyof Moments>(moment: Moment, about: Moments[Moment]): void {
  const listeners = CHANNELS[moment]
  if (listeners.hasSubscribers) listeners.publish(about)
}

/** Has `listener` called whenever a moment is reached. What it throws is an uncaught exception. */
export function whenReached<Moment extends keyof Moments>(
  moment: Moment,
  listener: (about: Moments[Moment]) => void,
): void {
  CHANNELS[moment].subscribe((about) => listener(about as Moments[Moment]))
}
