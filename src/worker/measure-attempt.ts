import { attemptDuration, attempts } from '../lib/telemetry/catalogue.ts'
import { secondsSince } from '../lib/telemetry/instrument.ts'
import { annotate, traced } from '../lib/telemetry/trace.ts'
import type { MovedJob } from '../store/transition-job.ts'
import type { AttemptEnd } from './work.ts'

/** Runs an attempt as a part of its webhook's trace, and counts how it ended. */
export async function measureAttempt(job: MovedJob, run: () => Promise<AttemptEnd>): Promise<void> {
  const began = performance.now()
  const { type, traceparent: parent } = job
  const attributes = { 'kodus.job.id': job.id, 'kodus.run': job.run, 'kodus.attempt': job.attempts }
  await traced({ name: `attempt ${type}`, kind: 'consumer', parent, attributes }, async () => {
    const end = await run()
    const outcome = end.how
    const code = 'error' in end ? end.error.code : ''
    attempts.add({ type, outcome, code })
    attemptDuration.record({ type, outcome }, secondsSince(began))
    annotate({ 'kodus.outcome': outcome, ...(code ? { 'error.type': code } : {}) })
  })
}
