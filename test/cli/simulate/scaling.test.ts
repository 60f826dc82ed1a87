import assert from 'node:assert/strict'
import { test } from 'node:test'
import { valuesWith } from '../../../src/cli/simulate/inputs.ts'
import { outcomeOf } from '../../../src/cli/simulate/outcome.ts'
import { documentsPolicy } from '../../../src/cli/simulate/policy.ts'
import { TRACES, type Trace } from '../../../src/cli/simulate/trace.ts'
import { runOf, traceOf, watch, withWorker } from './runs.ts'

const desiredWorkers = (trace: Trace, changed = {}) =>
  watch(runOf(trace, changed), ({ services }) => services.worker.fleet.desired)

test('a metric that is missing never takes a task away, and one that is there does', () => {
  const quiet = traceOf(3_600)
  const silent = { ...quiet, silences: [{ fromSecond: 0, toSecond: 3_600 }] }
  for (const policy of [undefined, documentsPolicy('steps'), documentsPolicy('tracking')]) {
    const changed = policy ? { policy } : {}
    assert.deepEqual(new Set(desiredWorkers(silent, changed)), new Set([10]))
    assert.equal(desiredWorkers(quiet, changed).at(-1), 5)
    const handlers = watch(runOf(silent, changed), ({ services }) => services.webhook.fleet.desired)
    assert.deepEqual(new Set(handlers), new Set([3]))
  }
})

test('one missing minute puts scaling in off until it is out of sight', () => {
  const policy = withWorker({ rules: [{ kind: 'idle', busyBelow: 0.3, minutes: 5, removePercent: 20 }] })
  const firstFewer = (silences: Trace['silences']) =>
    desiredWorkers(traceOf(3_600, {}, { silences }), { policy }).findIndex((desired) => desired < 10)
  // Minute 0 to 5 can be seen two minutes after their end.
  assert.equal(firstFewer([]), 7 * 60 - 1)
  assert.equal(firstFewer([{ fromSecond: 180, toSecond: 240 }]), 11 * 60 - 1)
})

test('nothing is scaled before CloudWatch shows it', () => {
  const firstMore = (metricDelaySeconds: number) =>
    desiredWorkers(traceOf(1_800, { webhooksPerMinute: 6_000 }), {
      values: valuesWith({ metricDelaySeconds }),
      policy: withWorker({
        rules: [{ kind: 'track', metric: 'backlog-per-task', target: 8, scalesIn: false }],
      }),
    }).findIndex((desired) => desired > 10)
  assert.equal(firstMore(0), 3 * 60 - 1)
  assert.equal(firstMore(120), 5 * 60 - 1)
})

test('target tracking asks for as many as bring the metric to its target', () => {
  const policy = withWorker({
    rules: [{ kind: 'track', metric: 'backlog-per-task', target: 50, scalesIn: false }],
  })
  const trace = traceOf(360, { webhooksPerMinute: 6_000 })
  const jobs = watch(
    runOf(trace, { policy, values: valuesWith({ metricDelaySeconds: 0 }) }),
    ({ work, services }) => ({
      waiting: work.waiting.length,
      desired: services.worker.fleet.desired,
    }),
  )
  assert.equal(jobs[179]?.desired, Math.ceil((jobs[179]?.waiting ?? 0) / 50))
})

test('a step is not taken twice before what it added is there and its cooldown is over', () => {
  const policy = withWorker({
    rules: [{ kind: 'above', metric: 'claimable-jobs', value: 500, addTasks: 5 }],
    cooldown: { outSeconds: 300, inSeconds: 300 },
  })
  const desired = desiredWorkers(traceOf(3_600, { webhooksPerMinute: 6_000 }), { policy })
  const steps = desired.flatMap((count, second) =>
    second > 0 && count > (desired[second - 1] ?? 0) ? [second] : [],
  )
  assert.ok(steps.length > 3)
  for (const [i, second] of steps.entries()) {
    const before = steps[i - 1]
    if (before !== undefined) assert.ok(second - before >= 300 + 50, `${before} and ${second}`)
    assert.equal((desired[second] ?? 0) - (desired[second - 1] ?? 0), 5)
  }
})

test('several targets take tasks away only when all agree', () => {
  // The API has few requests, but each costs much.
  const values = valuesWith({ apiCpuSeconds: 0.4 })
  const trace = traceOf(3_600, { apiRequestsPerMinute: 240 })
  const api = watch(runOf(trace, { values }), ({ services }) => services.api.fleet.desired)
  assert.equal(Math.min(...api), 5)
  assert.equal(watch(runOf(trace), ({ services }) => services.api.fleet.desired).at(-1), 3)
})

test("the documents' thousand webhooks a minute scale no handler, under no policy: they need no more", () => {
  const trace = TRACES.find(({ name }) => name === 'webhooks')
  assert.ok(trace)
  for (const changed of [{}, { policy: documentsPolicy('steps') }]) {
    const { most, refused } = outcomeOf(runOf(trace, changed))
    assert.equal(most.webhook, 3)
    assert.equal(refused, 0)
  }
})

test('a handler that is given more than it holds lets senders wait, then loses them', () => {
  const values = valuesWith({ webhookTaskPerSecond: 10 })
  const { refused, arrived } = outcomeOf(runOf(traceOf(120, { webhooksPerMinute: 6_000 }), { values }))
  // A hundred come a second, thirty are served; who came in the last ten seconds still waits.
  assert.equal(arrived.webhooks, 12_000)
  assert.ok(refused > 6_500 && refused < 8_400, `${refused}`)
})

test('with one organisation no more reviews run than it may have, however many workers there are', () => {
  const values = valuesWith({ organisations: 1 })
  const running = watch(runOf(traceOf(1_800, { webhooksPerMinute: 6_000 }), { values }), ({ services }) =>
    services.worker.fleet.tasks.reduce((sum, { jobs }) => sum + jobs.length, 0),
  )
  assert.equal(Math.max(...running), 32)
})
