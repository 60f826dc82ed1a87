import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deploy, healthyCount, keepDesired, staying, steadyFleet } from '../../../src/cli/simulate/fleet.ts'
import { valuesWith } from '../../../src/cli/simulate/inputs.ts'
import { outcomeOf } from '../../../src/cli/simulate/outcome.ts'
import { documentsPolicy } from '../../../src/cli/simulate/policy.ts'
import { runOf, traceOf, watch, withWorker } from './runs.ts'

const steady = withWorker({ rules: [], tasks: { min: 10, desired: 10, max: 10 } })
const busy = { webhooksPerMinute: 300 }

for (const component of ['webhook', 'api', 'worker'] as const) {
  test(`a deploy of the ${component} never has less than all healthy, nor more than twice as many`, () => {
    const trace = traceOf(2_400, busy, { deploys: [{ atSecond: 60, component }] })
    const seen = watch(runOf(trace, { policy: steady }), ({ second, services }) => {
      const { fleet } = services[component]
      return {
        healthy: healthyCount(fleet, second),
        running: staying(fleet).length,
        desired: fleet.desired,
        deploying: fleet.deploying,
        old: staying(fleet).filter(({ revision }) => revision === 1).length,
      }
    })
    assert.ok(seen.every(({ healthy, desired }) => healthy >= desired))
    assert.ok(seen.every(({ running, desired }) => running <= 2 * desired))
    assert.ok(seen[60]?.deploying && (seen[60]?.old ?? 0) > 0)
    assert.equal(seen.at(-1)?.deploying, false)
    assert.equal(seen.at(-1)?.old, 0)
  })
}

test('deploys on top of one another still run no more than twice as many, however long the old ones stay', () => {
  const fleet = steadyFleet(4, { worksAfter: 1, healthyAfter: 1 })
  for (let now = 0; now < 30; now += 1) {
    if (now % 10 === 0) deploy(fleet)
    for (const task of fleet.tasks) task.protection = { endsAt: 1_000, began: new Set() }
    keepDesired(fleet, now)
    assert.ok(staying(fleet).length <= 8)
  }
  assert.equal(staying(fleet).length, 8)
})

test('a deploy under load ends although workers are always busy, and no review begins again', () => {
  const trace = traceOf(2_400, busy, { deploys: [{ atSecond: 60, component: 'worker' }] })
  const { deploySeconds, handedBack, killed } = outcomeOf(runOf(trace, { policy: steady }))
  assert.ok(deploySeconds !== undefined && deploySeconds < 20 * 60, `${deploySeconds} s`)
  assert.deepEqual([handedBack, killed], [0, 0])
})

test('what is killed in a deploy without protection runs again, after its lease', () => {
  const trace = traceOf(2_400, busy, { deploys: [{ atSecond: 60, component: 'worker' }] })
  const { killed, arrived } = outcomeOf(runOf(trace, { policy: documentsPolicy('steps') }))
  assert.ok(killed > 0)
  const completed =
    watch(runOf(trace, { policy: documentsPolicy('steps') }), ({ work }) => work.completed).at(-1) ?? 0
  assert.ok(completed > arrived.jobs / 2)
})

test('no task is taken away while a deployment is under way', () => {
  // Reviews so long that protection holds the deployment up.
  const policy = withWorker({
    rules: [{ kind: 'idle', busyBelow: 2, minutes: 1, removePercent: 50 }],
    tasks: { min: 1, desired: 10, max: 50 },
  })
  const values = valuesWith({ jobSeconds: 3_000, metricDelaySeconds: 0 })
  const trace = traceOf(
    1_200,
    { webhooksPerMinute: 60 },
    { deploys: [{ atSecond: 30, component: 'worker' }] },
  )
  const seen = watch(runOf(trace, { policy, values }), ({ services }) => ({
    desired: services.worker.fleet.desired,
    deploying: services.worker.fleet.deploying,
  }))
  const during = seen.filter(({ deploying }) => deploying)
  assert.ok(during.length > 300)
  assert.ok(during.every(({ desired }) => desired === 10))
})
