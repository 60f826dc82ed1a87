import { setTimeout as sleep } from 'node:timers/promises'
import { KodusError, messageOf } from './errors.ts'
import type { Log } from './log.ts'

/**
 * Does something again and again, `everyMs` after it was last done, until stopped. A failure ends nothing: it
 * is logged when it is a new one, and where it names its own moment (a rate limit), that is waited for.
 *
 * @param failed for the log: "cannot sweep deliveries"
 * @param task is told by the signal that it should end
 */
export function repeat(
  failed: string,
  everyMs: number,
  task: (signal: AbortSignal) => Promise<void>,
  log: Log,
): { stop(): Promise<void> } {
  const stopping = new AbortController()
  const { signal } = stopping

  const run = async () => {
    let known: string | undefined
    while (!signal.aborted) {
      const error = await task(signal).then(() => undefined, asError)
      const message = error && messageOf(error)
      if (message !== undefined && message !== known && !signal.aborted) log.warn(`${failed}: ${message}`)
      known = message
      const waitMs = Math.max(everyMs, (error instanceof KodusError && error.retryAfterMs) || 0)
      await sleep(waitMs, undefined, { signal }).catch(() => {})
    }
  }

  const running = run()
  return {
    stop() {
      stopping.abort()
      return running
    },
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}
