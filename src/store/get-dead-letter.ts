import type { Database } from './database.ts'

export interface KeptMessage {
  id: string
  body: Buffer
  /** Null while it waits for a person. */
  settledAt: Date | null
}

/** One dead letter with its body; undefined when there is none of this id. */
export async function getDeadLetter(db: Database, id: string): Promise<KeptMessage | undefined> {
  const { rows } = await db.query<KeptMessage>(
    'select id, body, settled_at as "settledAt" from dead_letters where id = $1',
    [id],
  )
  return rows[0]
}
