import { setTimeout as sleep } from 'node:timers/promises'
import { generateLoad, type Result } from '../../../bench/ingest/load.ts'
import { createPayloads, type Payloads } from '../../../bench/ingest/payload.ts'
import { percentile, round } from '../../../bench/support/statistics.ts'
import { COMPONENTS } from '../../../src/components.ts'
import { messageOf } from '../../../src/lib/errors.ts'
import type { Engine } from '../engine.ts'
import { inspectTasks, startTask, type TaskDefinition } from './task.ts'

/** How a handler did at one rate of webhooks. */
export interface Held {
  perSecond: number
  /** Whether it answered all of them 202, and 99 of 100 within a second of when they were due. */
  holds: boolean
  /** Milliseconds. */
  p99: number
  refused: number
  /** Processors in use; its quota is a quarter of one. */
  cores: number
  memoryMb: number
  /** Ids of deliveries. */
  accepted: readonly string[]
  why?: string
}

const SECONDS_EACH = 8
/** Code is compiled then. Shorter than the 10 s after which a connection that was never used is closed. */
const WARM_UP = { seconds: 8, rate: 150 }
const READY_WITHIN_MS = 60_000
const LONGEST_P99_MS = 1_000
const PATH = '/webhooks/github'

export interface Alone {
  engine: Engine
  prefix: string
  image: string
  definition: TaskDefinition
}

/** Sends a handler of its own GitHub's webhooks at rising rates, until it does not hold one. */
export async function findLimit(
  { engine, prefix, image, definition }: Alone,
  rates: readonly number[],
): Promise<{ steps: Held[]; outOfMemory: boolean }> {
  const { http } = COMPONENTS.webhook
  const id = await startTask(engine, `${prefix}-alone`, image, definition, [
    `--publish=127.0.0.1::${http.port}`,
  ])
  const address = (await engine.docker('port', id, `${http.port}/tcp`)).split('\n')[0] ?? ''
  const port = Number(address.split(':').at(-1))
  await untilReady(`http://${address}${http.ready}`)
  const payloads = createPayloads() // One for all: what was sent before is a redelivery, and costs less.
  await generateLoad({ port, path: PATH }, payloads, WARM_UP)
  const steps: Held[] = []
  for (const rate of rates) {
    const step = await holdRate({ engine, id, port, payloads }, rate)
    steps.push(step)
    if (!step.holds) break
  }
  const status = (await inspectTasks(engine, [id])).get(id)
  return { steps, outOfMemory: status?.outOfMemory ?? true }
}

async function untilReady(url: string): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS
  for (;;) {
    const answer = await fetch(url).catch(() => undefined)
    if (answer?.status === 200) return
    if (Date.now() > deadline) throw new Error(`${url} is not ready: ${await answer?.text()}`)
    await sleep(200)
  }
}

interface Handler {
  engine: Engine
  id: string
  port: number
  payloads: Payloads
}

async function holdRate({ engine, id, port, payloads }: Handler, rate: number): Promise<Held> {
  const before = await processorSeconds(engine, id)
  const began = performance.now()
  const memory = watchMemory(engine, id)
  let result: Result
  try {
    result = await generateLoad({ port, path: PATH }, payloads, { seconds: SECONDS_EACH, rate })
  } catch (error) {
    const memoryMb = await memory.stop()
    return {
      perSecond: rate,
      holds: false,
      p99: Number.NaN,
      refused: 0,
      cores: Number.NaN,
      memoryMb,
      accepted: [],
      why: messageOf(error),
    }
  }
  const elapsed = (performance.now() - began) / 1000
  const cores = round(((await processorSeconds(engine, id)) - before) / elapsed, 3)
  const p99 = round(percentile(result.latencies, 99), 1)
  const refused = [...result.refused.values()].reduce((sum, count) => sum + count, 0)
  const holds = refused === 0 && p99 <= LONGEST_P99_MS
  return {
    perSecond: rate,
    holds,
    p99,
    refused,
    cores,
    memoryMb: await memory.stop(),
    accepted: result.accepted,
  }
}

/** What the kernel has counted for a container, with either version of control groups. */
async function processorSeconds(engine: Engine, id: string): Promise<number> {
  const script = `cat /sys/fs/cgroup/cpuacct/cpuacct.usage 2>/dev/null || sed -n 's/^usage_usec \\(.*\\)/\\1000/p' /sys/fs/cgroup/cpu.stat`
  return Number(await engine.docker('exec', id, 'sh', '-c', script)) / 1e9
}

/** The most memory that a container is seen to use. */
function watchMemory(engine: Engine, id: string): { stop(): Promise<number> } {
  let most = 0
  let going = true
  const loop = (async () => {
    while (going) {
      const usage = await engine.docker('stats', '--no-stream', '--format={{.MemUsage}}', id)
      most = Math.max(most, Number.parseFloat(usage))
    }
  })()
  return {
    async stop() {
      going = false
      await loop
      return round(most)
    },
  }
}
