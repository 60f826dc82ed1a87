import type { Database } from './database.ts'

/** A clock that goes wrong by less was not moved. A lease that is renewed in time always has more than this left. */
export const CLOCK_TOLERANCE_MS = 5_000

/** @returns what the database's clock shows, in milliseconds since 1970 */
export async function tellTime(db: Database): Promise<number> {
  const { rows } = await db.query<{ time: number }>(
    'select (extract(epoch from now()) * 1000)::float8 as time',
  )
  return rows[0]?.time ?? Number.NaN
}
