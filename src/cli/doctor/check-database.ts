import { silentLog } from '../../lib/log.ts'
import { readDatabaseCa } from '../../store/config.ts'
import { openDatabase } from '../../store/database.ts'
import { namingOutages } from '../../store/outages.ts'
import { databasePooled, sharesBackends } from '../../store/shares-backends.ts'
import { locatePostgres } from '../stack/postgres-binaries.ts'
import type { Check } from './check.ts'

export const checkDatabase: Check = async (env) => {
  if (!env.DATABASE_URL) {
    await locatePostgres(undefined)
    return { state: 'ok', says: 'embedded PostgreSQL (DATABASE_URL is not set)' }
  }
  const options = {
    url: env.DATABASE_URL,
    ca: readDatabaseCa(env),
    component: 'doctor',
    maxConnections: 2,
  }
  const db = openDatabase({ ...options, log: silentLog })
  try {
    const { rows } = await namingOutages(db.query<{ server_version: string }>('show server_version'))
    if (await namingOutages(sharesBackends(db))) throw databasePooled()
    return { state: 'ok', says: `PostgreSQL ${rows[0]?.server_version} at DATABASE_URL` }
  } finally {
    await db.end()
  }
}
