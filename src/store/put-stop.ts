import type { Database } from './database.ts'
import { STOP_COLUMNS, type Stop } from './find-stops.ts'

/**
 * Stops something for every process. What is stopped already stays so from when it was, with the newer reason.
 * Stopping posting waits for the intents that are being committed; after it there is none (see record-intent.ts).
 */
export async function putStop(
  db: Database,
  { name, reason, actor }: Pick<Stop, 'name' | 'reason' | 'actor'>,
): Promise<Stop> {
  const { rows } = await db.query<Stop>(
    `insert into stops (name, reason, actor) values ($1, $2, $3)
     on conflict (name) do update set reason = excluded.reason, actor = excluded.actor
     returning ${STOP_COLUMNS}`,
    [name, reason, actor],
  )
  return rows[0] as Stop
}
