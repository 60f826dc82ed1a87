import type { Database } from './database.ts'

/**
 * Takes the turn at something that one process at a time should do every so often, by the database's clock. A
 * turn that was taken in the future was taken by a clock that has been set back since, and counts as over.
 *
 * @returns false when another process had its turn less than `everySeconds` ago
 */
export async function claimTurn(db: Database, name: string, everySeconds: number): Promise<boolean> {
  const { rowCount } = await db.query(
    `insert into turns as t (name) values ($1)
     on conflict (name) do update set taken_at = now()
       where t.taken_at <= now() - $2 * interval '1 second' or t.taken_at > now() + interval '1 minute'`,
    [name, everySeconds],
  )
  return rowCount === 1
}
