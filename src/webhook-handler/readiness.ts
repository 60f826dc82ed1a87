import type { IntakeQueue } from '../jobs/queue.ts'
import { within } from '../lib/within.ts'
import type { DatabasePool } from '../store/database.ts'

/** Which stores would take a webhook now. One is enough to be ready. */
export interface Readiness {
  /** `read-only`: a standby, or full, or told so. */
  database: 'up' | 'down' | 'read-only' | 'migrating'
  broker: 'up' | 'down' | 'not configured'
}

/** One answer serves all who ask within this time: the route is open to anybody. */
const VALID_MS = 1_000

const DEADLINE_MS = 1_500

export function createReadiness({
  db,
  intake,
  isMigrated,
}: {
  db: DatabasePool
  /** What takes webhooks at the broker, in whatever state the queue of the jobs is. Undefined without a broker. */
  intake: IntakeQueue | undefined
  isMigrated: () => boolean
}): () => Promise<Readiness> {
  const check = async (): Promise<Readiness> => {
    const broker = !intake ? 'not configured' : intake.isUp() ? 'up' : 'down'
    try {
      const asked = db.query<{ readOnly: string }>(
        `select current_setting('transaction_read_only') as "readOnly"`,
      )
      const { rows } = await within(DEADLINE_MS, asked, 'PostgreSQL did not answer')
      if (rows[0]?.readOnly !== 'off') return { database: 'read-only', broker }
      return { database: isMigrated() ? 'up' : 'migrating', broker }
    } catch {
      return { database: 'down', broker }
    }
  }

  let latest: Promise<Readiness> | undefined
  return () => {
    if (!latest) {
      latest = check()
      void latest.then(() => setTimeout(() => (latest = undefined), VALID_MS).unref())
    }
    return latest
  }
}
