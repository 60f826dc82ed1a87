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
  let filling: Promise<void> | undefined
  let again = false
  let heeding = false

  function fill(): void {
    again = true
    filling ??= fillWhileAsked().finally(() => {
      filling = undefined
      if (again) fill()
    })
  }

  async function fillWhileAsked(): Promise<void> {
    while (again) {
      again = false
      await setImmediate() // What arrives, and what ends, in this turn of the loop is one claim.
      await fillOnce()
    }
    if (stopping.signal.aborted) for (const settle of waiting.splice(0)) settle('release')
  }

  async function fillOnce(): Promise<void> {
    while (waiting.length > 0 && slots.free() > 0 && !stopping.signal.aborted) {
      const spent = waiting.splice(0, slots.free())
      const settleOne = (outcome: Outcome) => spent.pop()?.(outcome)
      const ended = () => {
        settleOne('acknowledge')
        fill()
      }
      const count = spent.length
      const started = await slots.fill(count, ended)
      if (started === 'later') return void waiting.unshift(...spent)
      const left = count - started
      // A pull request has one job running: what was not among these may be now.
      if (started > 0) waiting.unshift(...spent.splice(0, left))
      else for (const settle of spent.splice(0)) settle(stopping.signal.aborted ? 'release' : 'acknowledge')
    }
  }

  function heed(stop: AbortSignal): void {
    if (heeding) return
    heeding = true
    const stopNow = () => {
      stopping.abort()
      fill()
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
        fill()
      })
    },
    claimingMs: slots.claimingMs,
    /** Resolves when no claim is on its way any more. */
    async settled(): Promise<void> {
      while (filling) await filling
    },
  }
}
