import path from 'node:path'
import { silentLog } from '../../lib/log.ts'
import { readDatabaseConfig } from '../../store/config.ts'
import { openDatabase } from '../../store/database.ts'
import { namingOutages } from '../../store/outages.ts'
import { databasePooled, sharesBackends } from '../../store/shares-backends.ts'
import { locatePostgres } from '../stack/postgres-binaries.ts'
import { checkData } from '../stack/postgres-directory.ts'
import { findHome } from '../stack/postgres-home.ts'
import type { Check } from './check.ts'

export const checkDatabase: Check = async (env, directory) => {
  if (!env.DATABASE_URL) {
    const home = await findHome(path.resolve(directory, 'postgres'))
    if (home) checkData(home)
    else await locatePostgres(undefined)
    return { state: 'ok', says: 'embedded PostgreSQL (DATABASE_URL is not set)' }
  }
  const { databaseUrl: url, databaseCa: ca } = readDatabaseConfig(env)
  const db = openDatabase({ url, ca, component: 'doctor', maxConnections: 2, log: silentLog })
  try {
    const { rows } = await namingOutages(db.query<{ server_version: string }>('show server_version'))
    if (await namingOutages(sharesBackends(db))) throw databasePooled()
    return { state: 'ok', says: `PostgreSQL ${rows[0]?.server_version} at DATABASE_URL` }
  } finally {
    await db.end()
  }
}
