const FIRST_MS = 5_000
const LONGEST_MS = 5 * 60_000

/**
 * Milliseconds to wait before the next attempt: doubling from 5 s to at most 5 minutes, of which a random
 * half is taken off, so that jobs that failed together do not come back together.
 */
export function retryDelayMs(attempts: number, random: () => number = Math.random): number {
  const full = Math.min(FIRST_MS * 2 ** Math.max(0, attempts - 1), LONGEST_MS)
  return Math.round(full * (0.5 + random() / 2))
}
