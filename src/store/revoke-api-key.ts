import type { Database } from './database.ts'

/** Ends a key at once. @returns false when no such key is valid */
export async function revokeApiKey(db: Database, id: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `update api_keys set revoked_at = now() where id::text = $1 and revoked_at is null`,
    [id],
  )
  return rowCount === 1
}
