import { silentLog } from '../lib/log.ts'
import { type DatabasePool, openDatabase } from '../store/database.ts'
import { migrate } from '../store/migrate.ts'
import { namingOutages } from '../store/outages.ts'
import { readDatabase } from './config.ts'

/** Lends a command the installation's database, migrated. */
export async function withDatabase(use: (db: DatabasePool) => Promise<void>): Promise<void> {
  const { databaseUrl, databaseCa } = readDatabase()
  const db = openDatabase({
    url: databaseUrl,
    ca: databaseCa,
    component: 'cli',
    maxConnections: 1,
    log: silentLog,
  })
  try {
    await namingOutages(migrate(db).then(() => use(db)))
  } finally {
    await db.end()
  }
}
