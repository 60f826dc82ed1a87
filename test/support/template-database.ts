import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import pg from 'pg'
import { migrate } from '../../src/store/migrate.ts'

/** Room for test files in parallel, each with components that hold pools. */
export const SERVER_SETTINGS = { max_connections: '300' }

/** Creates the database that all others are copied from, unless this server has it; returns its name. */
export async function ensureTemplate(server: string): Promise<string> {
  const template = `kodus_template_${fingerprint()}`
  const admin = new pg.Client({ connectionString: server })
  await admin.connect()
  try {
    await admin.query('select pg_advisory_lock(hashtext($1))', [template])
    const { rowCount } = await admin.query('select from pg_database where datname = $1', [template])
    if (rowCount) return template
    await admin.query(`drop database if exists ${template}_new`)
    await admin.query(`create database ${template}_new`)
    const pool = new pg.Pool({ connectionString: urlOfDatabase(server, `${template}_new`), max: 1 })
    await migrate(pool).finally(() => pool.end())
    await admin.query(`alter database ${template}_new rename to ${template}`)
    return template
  } finally {
    await admin.end()
  }
}

export function urlOfDatabase(server: string, name: string): string {
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
}

/** Of all migrations: a server that outlives an edit of one gets a new template. */
function fingerprint(): string {
  const directory = new URL('../../src/store/migrations/', import.meta.url)
  const hash = createHash('sha256')
  for (const file of readdirSync(directory).sort()) {
    hash.update(file).update(readFileSync(new URL(file, directory)))
  }
  return hash.digest('hex').slice(0, 12)
}
