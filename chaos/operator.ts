import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from './random.ts'

/** Somebody at the API, who looks at jobs, cancels some and has those run again that failed. */
export interface Operator {
  stats: { asked: number; cancelled: number; replayed: number; unanswered: number }
  stop(): Promise<void>
}

const EVERY_MS = 2_000
const TIMEOUT_MS = 5_000

export function startOperator(apis: readonly string[], key: string, random: Random): Operator {
  const stats = { asked: 0, cancelled: 0, replayed: 0, unanswered: 0 }
  const over = new AbortController()
  const ask = async (path: string, method = 'GET'): Promise<unknown> => {
    stats.asked += 1
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const headers = { authorization: `Bearer ${key}` }
    const response = await fetch(`${random.pick(apis)}${path}`, { method, headers, signal })
    return response.ok ? response.json() : undefined
  }
  const one = async (status: string): Promise<string | undefined> => {
    const page = (await ask(`/jobs?status=${status}&limit=20`)) as { jobs: { id: string }[] } | undefined
    return page?.jobs.length ? random.pick(page.jobs).id : undefined
  }
  const act = async () => {
    if (random.chance(0.4)) {
      const id = await one(random.pick(['PENDING', 'PROCESSING']))
      if (id && (await ask(`/jobs/${id}/cancel`, 'POST'))) stats.cancelled += 1
    } else {
      const id = await one(random.pick(['FAILED', 'CANCELLED']))
      if (id && (await ask(`/jobs/${id}/replay`, 'POST'))) stats.replayed += 1
    }
  }
  const run = async () => {
    while (!over.signal.aborted) {
      await act().catch(() => (stats.unanswered += 1))
      await sleep(EVERY_MS, undefined, { signal: over.signal }).catch(() => {})
    }
  }
  const running = run()
  return {
    stats,
    stop() {
      over.abort()
      return running
    },
  }
}
