import { setImmediate } from 'node:timers/promises'
import type { Log } from '../lib/log.ts'
import type { JobTaker } from './queue.ts'
import type { Outcome } from './rabbitmq-consumer.ts'
import { createSlots } from './slots.ts'

/**
 * Spends messages as tokens: each lets one job be claimed, whichever should run first, and is acknowledged when
 * that has run. One for which there is no job is spent too: what may not run yet is published again.
 */
export function createTokenSpender<Job>(taker: JobTaker<Job>, log: Log) {
  const stopping = new AbortController()
  const slots = createSlots(taker, stopping.signal, log)
  const waiting: ((outcome: Outcome) => void)[] = []
  let filling = false
  let heeding = false

  async function fill(): Promise<void> {
    if (filling) return
    filling = true
    await setImmediate() // What arrives, and what ends, in this turn of the loop is one claim.
    while (waiting.length > 0 && slots.free() > 0 && !stopping.signal.aborted) {
      const spent = waiting.splice(0, slots.free())
      const settleOne = (outcome: Outcome) => spent.pop()?.(outcome)
      const ended = () => {
        settleOne('acknowledge')
        void fill()
      }
      const count = spent.length
      const started = await slots.fill(count, ended)
      if (started === 'later') {
        waiting.unshift(...spent)
        break
      }
      const outcome = stopping.signal.aborted ? 'release' : 'acknowledge'
      for (let left = count - started; left > 0; left -= 1) settleOne(outcome)
    }
    filling = false
    if (stopping.signal.aborted) for (const release of waiting.splice(0)) release('release')
  }

  function heed(stop: AbortSignal): void {
    if (heeding) return
    heeding = true
    const stopNow = () => {
      stopping.abort()
      void fill()
    }
    if (stop.aborted) stopNow()
    else stop.addEventListener('abort', stopNow, { once: true })
  }

  return {
    /** @param stop aborted when the worker stops taking jobs: what is not spent then goes back to the queue */
    spend(stop: AbortSignal): Promise<Outcome> {
      heed(stop)
      return new Promise((settle) => {
        waiting.push(settle)
        void fill()
      })
    },
  }
}
