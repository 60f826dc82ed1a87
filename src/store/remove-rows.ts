import type { Database } from './database.ts'

/** Which rows of a table may go, and the index by which they are found. Conditions are SQL about `t`. */
export interface OldRows {
  table: string
  /** The columns of the index, their types, and a value before all others. Together they tell rows apart. */
  walk: readonly { column: string; type: string; before: string }[]
  /** Ends the walk early, where the index has age in front. `$1` is the age, in seconds. */
  met?: string
  /** Of the rows met, those that are removed. */
  removed: string
  /** Of the rows removed, those to count apart. */
  notable?: string
}

/** The key of a row, in text. */
export type Cursor = readonly string[]

export interface Step {
  removed: number
  notable: number
  /** The last row met, where the next step goes on; undefined when there are no more. */
  next: Cursor | undefined
}

/**
 * Looks at the next `limit` rows, and removes those of them that may go. A row that somebody has locked is left
 * for the next walk, and one that stays is not written to: nobody waits for this, and this for nobody.
 */
export async function removeRows(
  db: Database,
  rows: OldRows,
  { ageSeconds, after, limit }: { ageSeconds: number; after: Cursor | undefined; limit: number },
): Promise<Step> {
  const begin = rows.walk.map(({ before }) => before)
  const values = [ageSeconds, after ?? begin, limit]
  const { rows: answer } = await db.query<Omit<Step, 'next'> & { met: number; last: string[] | null }>(
    removalOf(rows),
    values,
  )
  const { removed = 0, notable = 0, met = 0, last = null } = answer[0] ?? {}
  return { removed, notable, next: met === limit && last ? last : undefined }
}

/**
 * Rows are found again by their place: a row that is changed meanwhile has another one from then on, which this
 * statement does not see, so it stays.
 */
function removalOf({ table, walk, met = 'true', removed, notable = 'false' }: OldRows): string {
  const columns = walk.map(({ column }) => column)
  const key = columns.join(', ')
  const cursor = walk.map(({ type }, at) => `($2::text[])[${at + 1}]::${type}`).join(', ')
  return `
    with met as materialized (
      select ctid as place, ${key} from ${table} t where (${met}) and (${key}) > (${cursor}) order by ${key} limit $3
    ), removable as materialized (
      select ctid as place from ${table} t
      where ctid = any (array(select place from met)) and (${removed}) for update skip locked
    ), removed as (
      delete from ${table} t where ctid = any (array(select place from removable)) returning (${notable}) as notable
    )
    select count(*)::int as removed, (count(*) filter (where notable))::int as notable,
      (select count(*)::int from met) as met,
      (select array[${columns.map((column) => `${column}::text`).join(', ')}] from met
        order by ${columns.map((column) => `${column} desc`).join(', ')} limit 1) as last
    from removed`
}
