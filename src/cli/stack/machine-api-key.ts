import { createApiKey } from '../../store/create-api-key.ts'
import type { DatabasePool } from '../../store/database.ts'
import { findApiKey } from '../../store/find-api-key.ts'

/** This machine's API key: the one it had, if the database still knows it, else a new one. */
export async function machineApiKey(db: DatabasePool, known: string | undefined): Promise<string> {
  if (known && (await findApiKey(db, known))) return known
  const { key } = await createApiKey(db, { name: 'this machine (npm start)', scopes: ['read', 'write'] })
  return key
}
