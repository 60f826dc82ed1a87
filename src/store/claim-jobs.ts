import { createHash } from 'node:crypto'
import pg, { type PoolClient } from 'pg'
import { type Choice, choiceParameters, chooseFairly } from './choose-fairly.ts'
import type { DatabasePool } from './database.ts'
import { type MovedJob, moveSql } from './transition-job.ts'
import { withClient } from './with-client.ts'

/** Any number that nobody else in this database uses as an advisory lock. */
const LOCK = 7_035_114_922

/** How often a connection may turn out to have prepared the claim, or not. */
const MAX_TRIES = 10

/**
 * Claims the jobs that it is fairest to run now: each gets a new fencing token and a lease. Claims of all
 * workers come one after the other, so that no limit is passed; none are had while an operator has stopped
 * claiming.
 *
 * One message carries lock and claim: PostgreSQL commits and lets go of the lock by itself, and a worker that
 * freezes in between holds nobody up. The claim is a statement of its own, so that it sees what was committed while
 * it waited for the lock; a prepared one, since planning it takes longer than running it.
 *
 * @param worker this worker's name, for the lease and the log of transitions
 * @returns the claimed jobs; none when nothing may be claimed
 */
export async function claimJobs(pool: DatabasePool, worker: string, choice: Choice): Promise<MovedJob[]> {
  if (choice.count === 0) return []
  const { name, prepare } = claimStatement(choice.types)
  const parameters = [...choiceParameters(choice), pg.escapeLiteral(worker)].join(', ')
  const claim = `
    -- Given up on the server too: a claim that is made for nobody keeps its jobs waiting for their leases to lapse.
    set local lock_timeout = '5s'; set local statement_timeout = '10s';
    set local plan_cache_mode = force_generic_plan;
    -- A lane's first few are read in the order of the index, however few rows there were when this was planned.
    set local enable_seqscan = off; set local enable_bitmapscan = off; set local enable_hashjoin = off;
    select pg_advisory_xact_lock(${LOCK});
    execute ${name} (${parameters})`
  return withClient(pool, async (client) => {
    for (let tries = 1; ; tries += 1) {
      const known = prepared.has(client)
      try {
        const jobs = await sendAll(client, known ? claim : `${prepare}; ${claim}`)
        prepared.add(client)
        return jobs
      } catch (error) {
        // Behind a pooler, what is one connection here is several there.
        if (tries === MAX_TRIES || !hasState(error, known ? NOT_PREPARED : ALREADY_PREPARED)) throw error
        if (known) prepared.delete(client)
        else prepared.add(client)
      }
    }
  })
}

/** Connections on which the claim was prepared. */
const prepared = new WeakSet<PoolClient>()

const NOT_PREPARED = '26000'
const ALREADY_PREPARED = '42P05'

/** Written once for each list of types: a worker has one, and claims with it all day. */
const statements = new WeakMap<readonly string[], ClaimStatement>()

interface ClaimStatement {
  name: string
  prepare: string
}

function claimStatement(types: readonly string[]): ClaimStatement {
  const statement = statements.get(types) ?? writeClaim(types)
  statements.set(types, statement)
  return statement
}

/** The claim of a build that knows these types. Named by its text, so that two builds can share a connection. */
function writeClaim(types: readonly string[]): ClaimStatement {
  const text = moveSql(
    'claim',
    `
    select j.id, j.fence, 'claimed' as reason, $5::text as actor, null::bigint as due, null::jsonb as error
    from workflow_jobs j
    join (${chooseFairly(types)}) chosen on chosen.id = j.id
    where not exists (select from stops where name = 'claiming')
    for update of j skip locked`,
  )
  const name = `kodus_claim_${createHash('sha256').update(text).digest('hex').slice(0, 12)}`
  return { name, prepare: `prepare ${name} (int, boolean, int, int, text) as ${text}` }
}

/** @returns the rows of the last statement: pg answers several with a list, which its types do not know */
async function sendAll(client: PoolClient, statements: string): Promise<MovedJob[]> {
  const results: unknown = await client.query(statements)
  return (results as { rows: MovedJob[] }[]).at(-1)?.rows ?? []
}

function hasState(error: unknown, state: string): boolean {
  return error instanceof pg.DatabaseError && error.code === state
}
