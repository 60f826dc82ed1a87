import { valuesWith } from '../../../src/cli/simulate/inputs.ts'
import { ourPolicy, type Policy, type ServicePolicy } from '../../../src/cli/simulate/policy.ts'
import { type Run, simulate } from '../../../src/cli/simulate/simulate.ts'
import type { State } from '../../../src/cli/simulate/state.ts'
import type { Phase, Trace } from '../../../src/cli/simulate/trace.ts'

/** A trace of one phase, with whatever a test changes. */
export function traceOf(seconds: number, phase: Partial<Phase> = {}, changed: Partial<Trace> = {}): Trace {
  return {
    name: 'test',
    what: 'a test',
    seconds,
    phases: [{ fromSecond: 0, webhooksPerMinute: 0, apiRequestsPerMinute: 0, jobFactor: 1, ...phase }],
    burst: { fromSecond: 0, toSecond: seconds },
    deploys: [],
    silences: [],
    ...changed,
  }
}

export function runOf(trace: Trace, changed: Partial<Omit<Run, 'trace'>> = {}): Run {
  return { trace, policy: ourPolicy(), values: valuesWith(), seed: 1, ...changed }
}

/** Our policy, with the worker's part changed. */
export function withWorker(changed: Partial<ServicePolicy>): Policy {
  const { services, ...policy } = ourPolicy()
  return { ...policy, services: { ...services, worker: { ...services.worker, ...changed } } }
}

/** What a run shows at the end of each second. */
export function watch<T>(run: Run, of: (state: State) => T): T[] {
  const seen: T[] = []
  simulate(run, (state) => {
    seen.push(of(state))
  })
  return seen
}
