import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { waitingIn } from '../../../src/cli/simulate/front.ts'
import { valuesWith } from '../../../src/cli/simulate/inputs.ts'
import { outcomeOf } from '../../../src/cli/simulate/outcome.ts'
import { documentsPolicy, ourPolicy } from '../../../src/cli/simulate/policy.ts'
import { simulate } from '../../../src/cli/simulate/simulate.ts'
import { checkAccounts, startOf } from '../../../src/cli/simulate/state.ts'
import { storm } from '../../../src/cli/simulate/trace.ts'
import { runningIn } from '../../../src/cli/simulate/work.ts'
import { runOf, traceOf } from './runs.ts'

const anyPhase = fc.record({
  webhooksPerMinute: fc.integer({ min: 0, max: 200_000 }),
  apiRequestsPerMinute: fc.integer({ min: 0, max: 100_000 }),
  jobFactor: fc.constantFrom(0.1, 1, 10),
})

const anyRun = fc
  .record({
    phases: fc.array(anyPhase, { minLength: 1, maxLength: 4 }),
    deploys: fc.array(
      fc.record({
        atSecond: fc.integer({ min: 0, max: 900 }),
        component: fc.constantFrom('webhook' as const, 'api' as const, 'worker' as const),
      }),
      { maxLength: 3 },
    ),
    silent: fc.boolean(),
    policy: fc.constantFrom(ourPolicy(), documentsPolicy('steps'), documentsPolicy('tracking')),
    metricDelaySeconds: fc.constantFrom(0, 60, 180),
    jobSeconds: fc.constantFrom(5, 60, 400),
    jobsPerWebhook: fc.constantFrom(0, 0.001, 0.1),
    seed: fc.nat(),
  })
  .map(({ phases, deploys, silent, policy, seed, ...changed }) => {
    const trace = traceOf(
      900,
      {},
      {
        phases: phases.map((phase, i) => ({ ...phase, fromSecond: Math.floor((i * 900) / phases.length) })),
        deploys,
        silences: silent ? [{ fromSecond: 300, toSecond: 600 }] : [],
      },
    )
    return runOf(trace, { policy, seed, values: valuesWith(changed) })
  })

test('whatever comes and whatever the policy: what arrived was served, was refused, or waits, at every second', () => {
  fc.assert(
    fc.property(anyRun, (run) => {
      let arrived = 0
      simulate(run, ({ webhooks, work, services }) => {
        assert.equal(webhooks.arrived, webhooks.served + webhooks.refused + waitingIn(webhooks))
        const held = work.waiting.length + work.lapsing.length + runningIn(services.worker.fleet)
        assert.equal(work.arrived, work.completed + held)
        assert.ok(webhooks.arrived >= arrived, 'nothing that came is forgotten')
        arrived = webhooks.arrived
      })
    }),
    { numRuns: 40, seed: 1 },
  )
})

test('the simulator refuses to go on when its own accounts do not add up', () => {
  const state = startOf(ourPolicy(), valuesWith())
  checkAccounts(state)
  state.webhooks.arrived += 1
  assert.throws(() => checkAccounts(state), { code: 'SIMULATION_WRONG' })
  state.webhooks.refused += 1
  state.work.completed += 1
  assert.throws(() => checkAccounts(state), { code: 'SIMULATION_WRONG' })
})

test('as many come as the trace says, however few a second', () => {
  const { arrived } = outcomeOf(runOf(traceOf(600, { webhooksPerMinute: 7, apiRequestsPerMinute: 1 })))
  assert.deepEqual(arrived, { webhooks: 70, requests: 10, jobs: 7 })
})

test('the same run gives the same bytes, and another seed others', () => {
  const bytes = (seed: number) => JSON.stringify(outcomeOf(runOf(storm(2), { seed })))
  assert.equal(bytes(1), bytes(1))
  assert.notEqual(bytes(1), bytes(2))
})
