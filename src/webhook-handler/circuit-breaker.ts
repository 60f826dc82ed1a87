export type BreakerState = 'closed' | 'open' | 'half-open'

/** One call to what is guarded. It has to be told its outcome. */
export interface GuardedCall {
  succeeded(): void
  failed(): void
}

/**
 * Keeps callers from waiting for something that is failing. Closed: everybody calls. A failure opens it: nobody
 * calls for a pause, then one does (half-open) while the others still do not. Its success closes the circuit; its
 * failure opens it again, for twice as long.
 */
export interface CircuitBreaker {
  state(): BreakerState
  /** A call, for whoever may make one now. */
  admit(): GuardedCall | undefined
  /** A call whatever the state, for whoever has no alternative. Its success closes the circuit; its failure is no news. */
  insist(): GuardedCall
}

/**
 * @param firstPauseMs the pause after the first failure; each failed probe doubles it
 * @param longestPauseMs what it never exceeds
 * @param onChange told when the circuit opens and when it is closed again, not of the probes between
 */
export function createCircuitBreaker({
  firstPauseMs,
  longestPauseMs,
  onChange = () => {},
  now = () => performance.now(),
}: {
  firstPauseMs: number
  longestPauseMs: number
  onChange?: (state: 'closed' | 'open') => void
  now?: () => number
}): CircuitBreaker {
  let state: BreakerState = 'closed'
  let pauseMs = firstPauseMs
  let probeFrom = 0

  const close = () => {
    if (state === 'closed') return
    state = 'closed'
    pauseMs = firstPauseMs
    onChange('closed')
  }
  const open = () => {
    state = 'open'
    probeFrom = now() + pauseMs
  }

  const ordinary: GuardedCall = {
    succeeded: close,
    failed: () => {
      // Many calls may have begun before the first of them failed: the rest of them are no news.
      if (state !== 'closed') return
      open()
      onChange('open')
    },
  }
  const probe = (): GuardedCall => {
    state = 'half-open'
    return {
      succeeded: close,
      failed: () => {
        if (state !== 'half-open') return
        pauseMs = Math.min(pauseMs * 2, longestPauseMs)
        open()
      },
    }
  }
  const lastResort: GuardedCall = { succeeded: close, failed: () => {} }

  return {
    state: () => state,
    admit: () => {
      if (state === 'closed') return ordinary
      return state === 'open' && now() >= probeFrom ? probe() : undefined
    },
    insist: () => lastResort,
  }
}
