import { setTimeout as sleep } from 'node:timers/promises'
import { KodusError, messageOf } from './errors.ts'
import type { Log } from './log.ts'

export interface Repeated {
  stop(): Promise<void>
  /** Milliseconds since the last round began. */
  sinceTurnMs(): number
}

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
): Repeated {
  const stopping = new AbortController()
  const { signal } = stopping
  let turned = performance.now()

  const run = async () => {
    let known: string | undefined
    while (!signal.aborted) {
      turned = performance.now()
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
    sinceTurnMs: () => performance.now() - turned,
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}
