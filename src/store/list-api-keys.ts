import type { Scope } from './api-key.ts'
import type { Database } from './database.ts'

export interface ApiKeyView {
  id: string
  name: string
  scopes: Scope[]
  createdAt: Date
  lastUsedAt: Date | null
  revokedAt: Date | null
}

export async function listApiKeys(db: Database): Promise<ApiKeyView[]> {
  const { rows } = await db.query<ApiKeyView>(
    `select id, name, scopes, created_at as "createdAt", last_used_at as "lastUsedAt", revoked_at as "revokedAt"
     from api_keys order by created_at`,
  )
  return rows
}
