import type { Database } from '../store/database.ts'
import { CLOCK_TOLERANCE_MS, tellTime } from '../store/tell-time.ts'

export interface ClockLook {
  /** What the database's clock showed, in milliseconds since 1970. */
  time: number
  /** How far it was moved since the look before, in milliseconds; 0 when it was not. */
  movedMs: number
}

/**
 * Looks at the database's clock, and notices that it was moved, or that another server with another clock has taken
 * over: the time that has passed there since the last look is not what has passed here, by a clock nobody can set.
 */
export function watchClock(db: Database): () => Promise<ClockLook> {
  let last: { offset: number; doubt: number } | undefined

  return async () => {
    const asked = performance.now()
    const time = await tellTime(db)
    const answered = performance.now()
    // It was told at some moment between the two.
    const look = { offset: time - (asked + answered) / 2, doubt: (answered - asked) / 2 }
    const moved = look.offset - (last ?? look).offset
    const doubt = look.doubt + (last ?? look).doubt
    last = look
    return { time, movedMs: Math.abs(moved) > CLOCK_TOLERANCE_MS + doubt ? Math.round(moved) : 0 }
  }
}
