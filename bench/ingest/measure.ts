import { setTimeout as sleep } from 'node:timers/promises'
import { cpuSeconds } from '../support/cpu-time.ts'
import { percentile } from '../support/statistics.ts'
import { generateLoad, type Load } from './load.ts'
import { createPayloads } from './payload.ts'
import type { Surroundings, Variant } from './variants.ts'

/** What one round says of one variant. */
export interface Measured {
  requestsPerSecond: number
  /** Microseconds of processor time for one accepted webhook. */
  handler: number
  postgres: number
  rabbitmq: number
  total: number
  /** Milliseconds, at half of the requests a second above. */
  p50: number
  p99: number
}

/** For what is still on its way after the last answer: a publish, a checkpoint's write. */
const SETTLE_MS = 500

/**
 * Runs a variant as fast as it goes, then at half of that.
 *
 * @throws Error when a webhook was refused, or accepted and has no row
 */
export async function measure(
  variant: Variant,
  name: string,
  surroundings: Surroundings,
  { seconds, warmUpSeconds }: { seconds: number; warmUpSeconds: number },
): Promise<Measured> {
  const payloads = createPayloads()
  const running = await variant(name, surroundings)
  try {
    const accepted: string[] = []
    const load = async (options: Load) => {
      const result = await generateLoad(running, payloads, options)
      if (result.refused.size > 0) throw new Error(`${name} refused webhooks: ${describe(result.refused)}`)
      accepted.push(...result.accepted)
      await sleep(SETTLE_MS)
      return result
    }
    await load({ seconds: warmUpSeconds })

    const pids = [running.pid, surroundings.postgres.pid, surroundings.rabbitmq.pid]
    const before = cpuSeconds(pids)
    const full = await load({ seconds })
    const used = cpuSeconds(pids).map((after, i) => after - (before[i] ?? 0))
    const requestsPerSecond = full.accepted.length / full.seconds

    const half = await load({ seconds, rate: requestsPerSecond / 2 })
    const missing = await running.withoutRow(accepted)
    if (missing > 0)
      throw new Error(`${name}: ${missing} of ${accepted.length} accepted webhooks have no row`)

    const [handler = 0, postgres = 0, rabbitmq = 0] = used.map((cpu) => (cpu / full.accepted.length) * 1e6)
    return {
      requestsPerSecond,
      handler,
      postgres,
      rabbitmq,
      total: handler + postgres + rabbitmq,
      p50: percentile(half.latencies, 50),
      p99: percentile(half.latencies, 99),
    }
  } finally {
    await running.stop()
  }
}

function describe(refused: Map<number, number>): string {
  return [...refused].map(([status, count]) => `${count} × ${status}`).join(', ')
}
