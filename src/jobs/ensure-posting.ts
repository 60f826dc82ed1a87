import { KodusError } from '../lib/errors.ts'
import type { Database } from '../store/database.ts'
import { findStops, type Stop } from '../store/find-stops.ts'
import { namingOutages } from '../store/outages.ts'

/**
 * Asked before anything is written to a forge. It is asked of the database each time: next to a request to a forge
 * that costs nothing, and what was stopped a moment ago is not written.
 *
 * @throws KodusError POSTING_STOPPED; DATABASE_UNAVAILABLE when nobody can tell
 */
export async function ensurePosting(db: Database): Promise<void> {
  const stop = (await namingOutages(findStops(db))).find(({ name }) => name === 'posting')
  if (stop) throw postingStopped(stop)
}

/** Transient: whoever meets it goes on when posting is resumed. */
export function postingStopped({ actor, reason }: Pick<Stop, 'actor' | 'reason'>): KodusError {
  const why = reason === null ? '' : `: ${reason}`
  return new KodusError('POSTING_STOPPED', `posting was stopped by ${actor}${why}`, {
    help: 'Nothing is lost: it goes on by itself after `kodus posting resume`.',
    retryability: 'transient',
  })
}
