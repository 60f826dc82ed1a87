import type { ForgeName } from '../jobs/review-request.ts'
import type { Database } from './database.ts'

/** Remembers how far polling a repository has come. */
export async function savePollCursor(
  db: Database,
  forge: ForgeName,
  repository: string,
  cursor: string,
): Promise<void> {
  await db.query(
    `insert into poll_cursors (forge, repository, cursor) values ($1, $2, $3)
     on conflict (forge, repository) do update set cursor = excluded.cursor, updated_at = now()`,
    [forge, repository, cursor],
  )
}
