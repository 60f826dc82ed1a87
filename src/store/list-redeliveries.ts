import type { Database } from './database.ts'
import { REDELIVERY_COLUMNS, type Redelivery } from './redelivery.ts'

/** What was found and done, newest first. */
export async function listRedeliveries(db: Database, limit: number): Promise<Redelivery[]> {
  const { rows } = await db.query<Redelivery>(
    `select ${REDELIVERY_COLUMNS} from redeliveries r order by updated_at desc, delivery_id limit $1`,
    [limit],
  )
  return rows
}
