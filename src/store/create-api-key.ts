import { randomBytes } from 'node:crypto'
import { hashApiKey, type Scope } from './api-key.ts'
import type { Database } from './database.ts'

/** Makes a key and stores its hash. The key itself is returned once and cannot be had again. */
export async function createApiKey(
  db: Database,
  { name, scopes }: { name: string; scopes: readonly Scope[] },
): Promise<{ id: string; key: string }> {
  const key = `kodus_${randomBytes(32).toString('base64url')}`
  const { rows } = await db.query<{ id: string }>(
    `insert into api_keys (name, hash, scopes) values ($1, $2, $3) returning id`,
    [name, hashApiKey(key), scopes],
  )
  const id = rows[0]?.id
  if (!id) throw new Error('the database returned no id for a new API key')
  return { id, key }
}
