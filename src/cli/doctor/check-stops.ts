import type { Environment } from '../../lib/env.ts'
import { silentLog } from '../../lib/log.ts'
import { readDatabaseConfig } from '../../store/config.ts'
import { openDatabase } from '../../store/database.ts'
import { findStops, type Stop } from '../../store/find-stops.ts'
import { describeStop } from '../jobs/stop-and-go.ts'
import type { Check } from './check.ts'

const RESUME = { claiming: 'kodus jobs resume', posting: 'kodus posting resume' }

/** Says what an operator has stopped: no defect, but nothing is reviewed, or posted, until it is resumed. */
export const checkStops: Check = async (env) => {
  if (!env.DATABASE_URL) return { state: 'off', says: 'not known (DATABASE_URL is not set)' }
  // Why it cannot be read is told by the check of the database; and one that nothing has used has no tables.
  const stops = await readStops(env).catch(() => undefined)
  if (!stops) return { state: 'off', says: 'not known (the database does not say)' }
  if (stops.length === 0) return { state: 'ok', says: 'nothing is stopped' }
  const said = stops.map((stop) => `${stop.name} is ${describeStop(stop)} (${RESUME[stop.name]})`)
  return { state: 'notice', says: said.join('; ') }
}

async function readStops(env: Environment): Promise<Stop[]> {
  const { databaseUrl: url, databaseCa: ca } = readDatabaseConfig(env)
  const db = openDatabase({ url, ca, component: 'doctor', maxConnections: 1, log: silentLog })
  try {
    return await findStops(db)
  } finally {
    await db.end()
  }
}
