import type { Database } from './database.ts'

/** What an operator can stop for every process: taking new jobs, and writing anything to a forge. */
export const STOP_NAMES = ['claiming', 'posting'] as const

export type StopName = (typeof STOP_NAMES)[number]

export interface Stop {
  name: StopName
  reason: string | null
  /** Who stopped it: an API key's name, or an account at the command line. */
  actor: string
  stoppedAt: Date
}

export const STOP_COLUMNS = 'name, reason, actor, stopped_at as "stoppedAt"'

/** What is stopped now. */
export async function findStops(db: Database): Promise<Stop[]> {
  const { rows } = await db.query<Stop>(`select ${STOP_COLUMNS} from stops order by name`)
  return rows
}
