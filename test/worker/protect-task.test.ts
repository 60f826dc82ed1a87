import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { taskProtectionFailures } from '../../src/lib/telemetry/catalogue.ts'
import type { Measurement } from '../../src/lib/telemetry/instrument.ts'
import { protectTask } from '../../src/worker/protect-task.ts'
import { agentBehaviours, type EcsAgent, startEcsAgent } from '../support/ecs-agent.ts'

const LIMIT = { timeout: 60_000 }
const TICK_MS = 5
/** Long enough to be sure that nothing was asked in between. */
const SEVERAL_TICKS_MS = 20 * TICK_MS

type Options = Parameters<typeof protectTask>[1]

interface Job {
  name: string
}

/** A worker whose jobs run until they are let go, in the care of that agent. */
function aWorker(t: TestContext, agent: EcsAgent, timing: Options['timing'] = {}) {
  const waiting: Job[] = []
  const ends = new EventEmitter()
  const began: string[] = []
  const lines: { level: number; msg: string; code?: string }[] = []
  const stopping = new AbortController()
  t.after(() => stopping.abort())
  const taker = protectTask<Job>(
    {
      slots: 4,
      claim: async (count) => waiting.splice(0, count),
      async run({ name }) {
        began.push(name)
        await once(ends, name)
      },
    },
    {
      agentUri: agent.uri,
      log: pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) }),
      stopping: stopping.signal,
      timing: { lingerMs: 0, retryMs: 600_000, tickMs: TICK_MS, ...timing },
    },
  )
  const running = new Map<string, Promise<void>>()
  return {
    began,
    lines,
    stop: () => stopping.abort(),
    /** Claims jobs of those names, and starts them. */
    async take(...names: string[]) {
      waiting.push(...names.map((name) => ({ name })))
      const jobs = await taker.claim(4)
      assert.ok(jobs !== 'later')
      for (const job of jobs) running.set(job.name, taker.run(job))
    },
    async finish(name: string) {
      ends.emit(name)
      await running.get(name)
    },
  }
}

test('the task is protected before its first job runs, and until nothing is in hand', LIMIT, async (t) => {
  const agent = await startEcsAgent(t)
  const worker = aWorker(t, agent)
  await worker.take()
  await sleep(SEVERAL_TICKS_MS)
  assert.deepEqual(agent.requests, [], 'a worker that finds nothing to do asks for nothing')

  await worker.take('one', 'two')
  assert.deepEqual(agent.requests, [{ ProtectionEnabled: true, ExpiresInMinutes: 20 }])
  await worker.take('three')
  await worker.finish('one')
  await worker.finish('two')
  await sleep(SEVERAL_TICKS_MS)
  assert.equal(agent.requests.length, 1, 'it is asked for once')

  await worker.finish('three')
  await agent.until(() => !agent.isProtected())
  assert.deepEqual(agent.requests.at(-1), { ProtectionEnabled: false })
  await worker.take('four')
  assert.ok(agent.isProtected(), 'and again for the next')
  assert.equal(agent.requests.length, 3)
})

test('jobs that follow each other closely are one protection', LIMIT, async (t) => {
  const agent = await startEcsAgent(t)
  const worker = aWorker(t, agent, { lingerMs: 60_000 })
  for (const name of ['one', 'two', 'three']) {
    await worker.take(name)
    await worker.finish(name)
    await sleep(SEVERAL_TICKS_MS)
  }
  assert.deepEqual(
    agent.requests.map(({ ProtectionEnabled }) => ProtectionEnabled),
    [true],
  )
})

test('what is asked while an earlier answer is still to come is asked after it', LIMIT, async (t) => {
  const agent = await startEcsAgent(t)
  const worker = aWorker(t, agent, { waitMs: 30_000 })
  await worker.take('one')
  const held: ServerResponse[] = []
  agent.behave((response) => void held.push(response))
  await worker.finish('one')
  await agent.until(() => held.length === 1)

  const taking = worker.take('two')
  await sleep(SEVERAL_TICKS_MS)
  assert.equal(agent.requests.length, 2, 'giving back is not answered yet')
  agent.behave()
  agent.grant(held[0] as ServerResponse, { ProtectionEnabled: false })
  await taking
  assert.deepEqual(agent.requests.at(-1)?.ProtectionEnabled, true)
})

test('a job that outlasts a term is protected further', LIMIT, async (t) => {
  const agent = await startEcsAgent(t)
  const worker = aWorker(t, agent, { termMs: 50 })
  await worker.take('long')
  await agent.until(() => agent.requests.length === 4)
  assert.ok(agent.requests.every(({ ProtectionEnabled }) => ProtectionEnabled))
})

test('a worker that always holds something lets deployments through between two terms', LIMIT, async (t) => {
  const agent = await startEcsAgent(t)
  const worker = aWorker(t, agent, { termMs: 500, openMs: 500 })
  await worker.take('0')
  for (let i = 1; agent.requests.length < 4; i++) {
    await worker.take(String(i))
    await worker.finish(String(i - 1))
    await sleep(TICK_MS)
  }
  assert.deepEqual(
    agent.requests.map(({ ProtectionEnabled }) => ProtectionEnabled),
    [true, false, true, false],
  )
})

const MISBEHAVIOURS: [name: string, behaviour: Parameters<EcsAgent['behave']>[0], code: string][] = [
  ['refuses for a deployment', agentBehaviours.failure('DEPLOYMENT_BLOCKED'), 'TASK_PROTECTION_BLOCKED'],
  ['knows no service of the task', agentBehaviours.failure('TASK_NOT_VALID'), 'TASK_PROTECTION_NO_SERVICE'],
  ['fails for another reason', agentBehaviours.failure('NEW_REASON'), 'TASK_PROTECTION_REFUSED'],
  [
    'may not ask',
    agentBehaviours.error(400, 'AccessDeniedException', 'no identity-based policy allows it'),
    'TASK_PROTECTION_DENIED',
  ],
  [
    'is throttled',
    agentBehaviours.error(400, 'ThrottlingException', 'Rate exceeded'),
    'TASK_PROTECTION_THROTTLED',
  ],
  [
    'does not reach ECS',
    agentBehaviours.error(504, 'RequestCanceled', 'Timed out calling Amazon ECS Task Protection API'),
    'TASK_PROTECTION_UNREACHABLE',
  ],
  [
    'has an error of its own',
    agentBehaviours.error(500, 'ServerException', 'Unexpected error occurred'),
    'TASK_PROTECTION_REFUSED',
  ],
  ['says 500 and no more', agentBehaviours.sends(500, ''), 'TASK_PROTECTION_UNANSWERED'],
  ['says something else', agentBehaviours.sends(200, '{"Hello":"world"}'), 'TASK_PROTECTION_UNANSWERED'],
  [
    'says that it did the opposite',
    agentBehaviours.sends(200, '{"protection":{"ProtectionEnabled":false}}'),
    'TASK_PROTECTION_REFUSED',
  ],
  ['resets the connection', agentBehaviours.resets, 'TASK_PROTECTION_UNANSWERED'],
]

for (const [name, behaviour, code] of MISBEHAVIOURS) {
  test(`jobs run where the agent ${name}; it is said once, counted, and tried again`, LIMIT, async (t) => {
    const agent = await startEcsAgent(t)
    agent.behave(behaviour)
    const failures = countFailures(t)
    const worker = aWorker(t, agent, { retryMs: 20 })
    await worker.take('one')
    assert.deepEqual(worker.began, ['one'])
    await agent.until(() => failures.length >= 3)
    assert.deepEqual([...new Set(failures)], [code])
    assert.deepEqual(
      worker.lines.map((line) => line.code),
      [code],
    )
    assert.match(worker.lines[0]?.msg ?? '', /^this task is not protected from scale-in, going on: /)

    agent.behave()
    await agent.until(() => agent.requests.length > failures.length)
    await agent.until(() => worker.lines.length === 2)
    assert.match(worker.lines[1]?.msg ?? '', /again/)
  })
}

test('jobs do not wait for an agent that hangs, nor does a stop', LIMIT, async (t) => {
  const agent = await startEcsAgent(t)
  agent.behave(agentBehaviours.hangs)
  const impatient = aWorker(t, agent, { waitMs: 20 })
  await impatient.take('one')
  assert.deepEqual(impatient.began, ['one'])
  await agent.until(() => agent.requests.length === 1)
  assert.deepEqual(impatient.lines, [], 'it is not even given up yet')

  const patient = aWorker(t, agent, { waitMs: 600_000 })
  const taking = patient.take('two')
  await agent.until(() => agent.requests.length === 2)
  patient.stop()
  await taking
  assert.deepEqual([patient.began, patient.lines], [['two'], []])
})

test('an agent that hangs is given up, and asked again later', LIMIT, async (t) => {
  const agent = await startEcsAgent(t)
  agent.behave(agentBehaviours.hangs)
  const worker = aWorker(t, agent, { waitMs: 0, retryMs: 0 })
  await worker.take('one')
  await agent.until(() => agent.requests.length === 2)
  assert.match(worker.lines[0]?.msg ?? '', /the ECS agent does not answer: .*timeout/)
  agent.behave()
  agent.dropConnections()
  await agent.until(agent.isProtected)
})

test('while the agent is away no job waits for it but the first', LIMIT, async (t) => {
  const agent = await startEcsAgent(t)
  agent.behave(agentBehaviours.resets)
  const worker = aWorker(t, agent)
  for (const name of ['one', 'two', 'three']) await worker.take(name)
  assert.equal(agent.requests.length, 1)
})

test('a worker that stops asks for nothing more', LIMIT, async (t) => {
  const agent = await startEcsAgent(t)
  const worker = aWorker(t, agent, { termMs: 10 })
  await worker.take('one')
  worker.stop()
  const { length } = agent.requests
  await worker.finish('one')
  await worker.take('two')
  await sleep(SEVERAL_TICKS_MS)
  assert.equal(agent.requests.length, length)

  const stopped = aWorker(t, agent)
  stopped.stop()
  await stopped.take('three')
  await sleep(SEVERAL_TICKS_MS)
  assert.equal(agent.requests.length, length, 'nor for what it had claimed just then')
})

test('outside ECS nothing is asked', () => {
  const taker = { slots: 1, claim: async () => [], run: async () => {} }
  const options = { agentUri: undefined, log: pino({ level: 'silent' }), stopping: AbortSignal.abort() }
  assert.equal(protectTask(taker, options), taker)
})

/** The codes of failures, from now on. */
function countFailures(t: TestContext): (string | undefined)[] {
  const codes: (string | undefined)[] = []
  const count = (message: unknown) => void codes.push((message as Measurement).labels[0])
  taskProtectionFailures.measurements.subscribe(count)
  t.after(() => void taskProtectionFailures.measurements.unsubscribe(count))
  return codes
}
