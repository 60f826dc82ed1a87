import type { DatabasePool } from '../../src/store/database.ts'

/** A pool whose transactions stop before a statement until they are told to go on. */
export function pausingBefore(db: DatabasePool, statement: string) {
  const reached = signal()
  const goOn = signal()
  const connect = async () => {
    const client = await db.connect()
    return new Proxy(client, {
      get(target, key) {
        const value = Reflect.get(target, key)
        if (key !== 'query') return typeof value === 'function' ? value.bind(target) : value
        return async (sql: string, values?: unknown[]) => {
          if (sql === statement) {
            reached.give()
            await goOn.given
          }
          return target.query(sql, values)
        }
      },
    })
  }
  return { pool: { connect } as unknown as DatabasePool, reached: reached.given, goOn: goOn.give }
}

function signal() {
  let give = () => {}
  const given = new Promise<void>((resolve) => (give = resolve))
  return { given, give: () => give() }
}

/** Resolves when a session of this database waits for another's lock. */
export async function untilSomebodyWaits(db: DatabasePool): Promise<void> {
  for (;;) {
    const { rows } = await db.query(
      `select count(*)::int as waiting from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
    )
    if (rows[0].waiting > 0) return
  }
}
