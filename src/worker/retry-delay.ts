const FIRST_MS = 5_000
const LONGEST_MS = 5 * 60_000

/** Nobody waits longer on one answer's word: it is asked again instead. */
const LONGEST_TOLD_MS = 60 * 60_000
const LONGEST_MARGIN_MS = 30_000

/**
 * Milliseconds to wait before the next attempt: doubling from 5 s to at most 5 minutes, of which a random
 * half is taken off, so that jobs that failed together do not come back together.
 */
export function retryDelayMs(attempts: number, random: () => number = Math.random): number {
  const full = Math.min(FIRST_MS * 2 ** Math.max(0, attempts - 1), LONGEST_MS)
  return Math.round(full * (0.5 + random() / 2))
}

/**
 * The same where the one who refused has told when to come back (a rate limit's reset): not before that, for an
 * hour at most, and up to half a minute later, since everybody else was told the same.
 */
export function toldDelayMs(toldMs: number, attempts: number, random: () => number = Math.random): number {
  const told = Math.min(Math.max(toldMs, 0), LONGEST_TOLD_MS)
  const margin = random() * Math.min(told / 10, LONGEST_MARGIN_MS)
  return Math.max(Math.ceil(told + margin), retryDelayMs(attempts, random))
}
