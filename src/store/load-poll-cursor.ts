import type { ForgeName } from '../jobs/review-request.ts'
import type { Database } from './database.ts'

/** How far polling a repository has come; null before the first look. */
export async function loadPollCursor(
  db: Database,
  forge: ForgeName,
  repository: string,
): Promise<string | null> {
  const { rows } = await db.query<{ cursor: string }>(
    'select cursor from poll_cursors where forge = $1 and repository = $2',
    [forge, repository],
  )
  return rows[0]?.cursor ?? null
}
