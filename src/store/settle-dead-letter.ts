import type { Database } from './database.ts'

/**
 * Says what a person did with a dead letter. It is kept, and no longer listed.
 *
 * @returns false when it was settled before, or there is none of this id
 */
export async function settleDeadLetter(
  db: Database,
  { id, outcome, actor }: { id: string; outcome: 'replayed' | 'discarded'; actor: string },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `update dead_letters set settled_at = now(), settled_by = $3, outcome = $2
     where id = $1 and settled_at is null`,
    [id, outcome, actor],
  )
  return rowCount === 1
}
