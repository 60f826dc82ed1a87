import { hashApiKey, type Scope } from './api-key.ts'
import type { Database } from './database.ts'

/** The key's name and scopes, or undefined when it is unknown or revoked. Notes its use, to the minute. */
export async function findApiKey(
  db: Database,
  key: string,
): Promise<{ name: string; scopes: Scope[] } | undefined> {
  const { rows } = await db.query<{ name: string; scopes: Scope[]; stale: boolean }>(
    `select name, scopes, coalesce(last_used_at < now() - interval '1 minute', true) as stale
     from api_keys where hash = $1 and revoked_at is null`,
    [hashApiKey(key)],
  )
  const found = rows[0]
  if (found?.stale)
    await db.query(`update api_keys set last_used_at = now() where hash = $1`, [hashApiKey(key)])
  return found && { name: found.name, scopes: found.scopes }
}
