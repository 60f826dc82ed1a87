import { randomBytes } from 'node:crypto'
import type { Database } from './database.ts'

const KEY_BYTES = 32

/** A key of this installation's own, made at random when it is first asked for; the same ever after, for all. */
export async function installationKey(db: Database, name: string): Promise<Buffer> {
  await db.query('insert into installation_keys (name, key) values ($1, $2) on conflict do nothing', [
    name,
    randomBytes(KEY_BYTES),
  ])
  const { rows } = await db.query<{ key: Buffer }>('select key from installation_keys where name = $1', [
    name,
  ])
  const [row] = rows
  if (!row) throw new Error(`the installation key ${name} is gone`)
  return row.key
}
