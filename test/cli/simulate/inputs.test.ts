import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { INPUTS, type InputName } from '../../../src/cli/simulate/inputs.ts'
import { ourPolicy } from '../../../src/cli/simulate/policy.ts'
import { COMPONENTS } from '../../../src/components.ts'

/** Where the product says what the simulator takes from it, and how that is read there. */
const QUOTED: readonly [InputName, file: string, RegExp, factor: number][] = [
  ['slots', 'src/worker/config.ts', /WORKER_SLOTS: \{[^}]*default: '(\d+)'/, 1],
  ['runningPerOrganisation', 'src/worker/config.ts', /JOBS_PER_ORGANISATION: \{[^}]*default: '(\d+)'/, 1],
  ['containerCheckSeconds', 'infra/docker/Dockerfile', /HEALTHCHECK --interval=(\d+)s/, 1],
  ['protectionTermSeconds', 'src/worker/protect-task.ts', /termMs: (\d+) \* 60_000/, 60],
  ['protectionOpenSeconds', 'src/worker/protect-task.ts', /openMs: (\d+)_000/, 1],
  ['protectionLingerSeconds', 'src/worker/protect-task.ts', /lingerMs: (\d+)_000/, 1],
  ['protectionRetrySeconds', 'src/worker/protect-task.ts', /retryMs: (\d+)_000/, 1],
  ['webhookTaskPerSecond', 'docs/containers.md', /\| (\d+) \| yes \|[^\n]*\n\| \d+ \| no/, 1],
  ['webhookCpuSeconds', 'docs/containers.md', /\| 250 \| yes \|[^\n]*\| (0\.\d+) \|/, 1 / 250],
]

test('what the simulator takes from the product is what the product says', () => {
  for (const [name, file, pattern, factor] of QUOTED) {
    const [, value] = pattern.exec(readFileSync(file, 'utf8')) ?? []
    const said = Number(value) * factor
    assert.ok(Math.abs(said / INPUTS[name].value - 1) < 1e-9, `${name}: ${file} says ${said}`)
  }
})

test('every input has a unit and a source', () => {
  for (const [name, { value, unit, source }] of Object.entries(INPUTS)) {
    assert.ok(value > 0 && unit && source, name)
  }
})

test("our policy is the table's: targets, emergency, idle capacity, counts, cooldowns", () => {
  const { worker, api } = ourPolicy().services
  const { targets, emergency, idle, cooldown } = COMPONENTS.worker.scaling
  const tracked = worker.rules.flatMap((rule) => (rule.kind === 'track' ? [rule] : []))
  assert.deepEqual(
    tracked.map(({ target, scalesIn }) => [target, scalesIn]),
    targets.map(({ jobs }) => [jobs, false]),
  )
  const step = worker.rules.find((rule) => rule.kind === 'above')
  assert.deepEqual([step?.value, step?.addTasks], [emergency.claimableJobsAbove, emergency.addTasks])
  const fewer = worker.rules.find((rule) => rule.kind === 'idle')
  assert.deepEqual([fewer?.busyBelow, fewer?.removePercent], [idle.busyBelow, idle.removePercent])
  assert.deepEqual([worker.cooldown, worker.tasks], [cooldown, COMPONENTS.worker.tasks])
  assert.ok(api.rules.every((rule) => rule.kind === 'track' && rule.scalesIn))
})
