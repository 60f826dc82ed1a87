import assert from 'node:assert/strict'
import { test } from 'node:test'
import { valuesWith } from '../../../src/cli/simulate/inputs.ts'
import { outcomeOf } from '../../../src/cli/simulate/outcome.ts'
import { documentsPolicy } from '../../../src/cli/simulate/policy.ts'
import { simulate } from '../../../src/cli/simulate/simulate.ts'
import { storm } from '../../../src/cli/simulate/trace.ts'
import { runOf, traceOf, watch, withWorker } from './runs.ts'

/** Whatever happens, fewer are wanted every minute. */
const SHRINKING = [{ kind: 'idle', busyBelow: 2, minutes: 1, removePercent: 50 }] as const
const BUSY = { webhooksPerMinute: 100 }
const values = valuesWith({ jobSeconds: 200 })

test('a protected task is never chosen to end, whatever the policy wants', () => {
  const policy = withWorker({
    rules: SHRINKING,
    tasks: { min: 1, desired: 10, max: 50 },
    cooldown: { outSeconds: 60, inSeconds: 60 },
  })
  const protectedBefore = new Map<number, boolean>()
  let chosen = 0
  simulate(runOf(traceOf(3_600, BUSY), { policy, values }), ({ second, services }) => {
    for (const { id, stopAskedAt, protection } of services.worker.fleet.tasks) {
      if (stopAskedAt === second) {
        chosen += 1
        assert.equal(protection, undefined)
      }
      protectedBefore.set(id, protection !== undefined)
    }
  })
  assert.ok(chosen > 0, 'some were chosen')
  assert.ok([...protectedBefore.values()].includes(true), 'some were protected')
})

test('scaling in with our policy begins no review again; without protection it does', () => {
  const long = runOf(storm(2), { values: valuesWith({ jobSeconds: 100 }) })
  const ours = outcomeOf(long)
  assert.deepEqual([ours.handedBack, ours.killed], [0, 0])
  const theirs = outcomeOf({ ...long, policy: documentsPolicy('steps') })
  assert.ok(theirs.killed > 0)
})

test('protection comes in terms: a worker that always holds something is open between them', () => {
  const policy = withWorker({ rules: [], tasks: { min: 1, desired: 1, max: 1 } })
  const states = watch(runOf(traceOf(1_800, BUSY), { policy }), ({ services }) => {
    const [task] = services.worker.fleet.tasks
    return { busy: (task?.jobs.length ?? 0) > 0, protected: task?.protection !== undefined }
  })
  const busy = states.filter((state) => state.busy)
  assert.ok(busy.length > 1_700)
  const open = busy.filter((state) => !state.protected).length
  assert.ok(open >= 60 && open < 300, `open for ${open} s`)
})

test('a task that has nothing in hand gives its protection back', () => {
  const trace = traceOf(
    600,
    {},
    {
      phases: [
        { fromSecond: 0, webhooksPerMinute: 600, apiRequestsPerMinute: 0, jobFactor: 0.1 },
        { fromSecond: 10, webhooksPerMinute: 0, apiRequestsPerMinute: 0, jobFactor: 1 },
      ],
    },
  )
  const counts = watch(
    runOf(trace),
    ({ services }) => services.worker.fleet.tasks.filter((task) => task.protection).length,
  )
  assert.ok(Math.max(...counts) > 0)
  assert.equal(counts.at(-1), 0)
})
