import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import type pg from 'pg'
import { jobIdOf } from '../../src/jobs/review-request.ts'
import { createDatabase } from '../support/database.ts'
import { createVhost, skipWithoutRabbitmq } from '../support/rabbitmq.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { readQueue } from './read-queue.ts'
import { type Handler, postGit, startHandler } from './start-handler.ts'

/** The promise is 3 s; a test on a busy machine is given more, and GitHub gives up after 10. */
const ANSWERED_WITHIN_MS = 9_000

interface Surroundings {
  /** Past the proxy, as an administrator. */
  pool: pg.Pool
  proxy: TcpProxy
  database: string
  /** Whom the handlers connect as. */
  role: string
}

/** Brings a failure about, and returns what ends it. */
type Failure = (surroundings: Surroundings) => Promise<() => unknown>

/** A trigger that fails as PostgreSQL itself does where the failure cannot be had without harming other tests. */
const failingWith =
  (sqlState: string): Failure =>
  async ({ pool }) => {
    await pool.query(`
      create function fail() returns trigger language plpgsql as
        $$ begin raise exception 'as PostgreSQL would' using errcode = '${sqlState}'; end $$;
      create trigger fail before insert on deliveries execute function fail()`)
    return () => pool.query('drop function fail cascade')
  }

const DATABASE_FAILURES: Record<string, Failure> = {
  'refuses connections': async ({ proxy }) => {
    proxy.cut()
    return proxy.restore
  },
  'swallows packets': async ({ proxy }) => {
    proxy.blackhole()
    return proxy.restore
  },
  'takes five seconds for an answer': async ({ proxy }) => {
    proxy.delay(5_000)
    return proxy.restore
  },
  'is read-only': async ({ pool, database, role }) => {
    await pool.query(`alter database ${database} set default_transaction_read_only = on`)
    await cutSessions(pool, role)
    return async () => {
      await pool.query(`alter database ${database} reset default_transaction_read_only`)
      await cutSessions(pool, role)
    }
  },
  'has no connections left': async ({ pool, role }) => {
    await pool.query(`alter role ${role} connection limit 0`)
    await cutSessions(pool, role)
    return () => pool.query(`alter role ${role} connection limit -1`)
  },
  'refuses the password': async ({ pool, role }) => {
    await pool.query(`alter role ${role} nologin`)
    await cutSessions(pool, role)
    return () => pool.query(`alter role ${role} login`)
  },
  'has no disk left': failingWith('53100'),
  'is shutting down': failingWith('57P01'),
  'is restored from before a migration': async ({ pool }) => {
    await pool.query('alter table deliveries rename to deliveries_of_later')
    return () => pool.query('alter table deliveries_of_later rename to deliveries')
  },
  'may not be written by this role any more': async ({ pool, role }) => {
    await pool.query(`revoke insert on deliveries from ${role}`)
    return () => pool.query(`grant insert on deliveries to ${role}`)
  },
  'waits for a lock': async ({ pool }) => {
    const client = await pool.connect()
    await client.query('begin; lock table deliveries')
    return async () => {
      await client.query('rollback')
      client.release()
    }
  },
}

test('whatever happens to PostgreSQL: 503 without a broker, 202 and a whole message with one', {
  skip: skipWithoutRabbitmq,
}, async (t) => {
  const surroundings = await createSurroundings(t)
  const { pool, role, url } = surroundings
  const rabbitmq = await createVhost()
  const alone = await startHandler(t, { DATABASE_URL: url })
  const withBroker = await startHandler(t, { DATABASE_URL: url, RABBITMQ_URL: rabbitmq })

  for (const [how, fail] of Object.entries(DATABASE_FAILURES)) {
    await t.test(how, async () => {
      const mend = await fail(surroundings)
      const began = performance.now()
      const ids = Array.from({ length: 5 }, () => randomUUID() as string)
      const sent = await Promise.all(ids.map((id) => Promise.all([postGit(alone), post(withBroker, id)])))
      const took = performance.now() - began
      const { rows } = await pool.query(
        `select count(*)::int as sessions from pg_stat_activity where usename = $1`,
        [role],
      )
      await mend()

      assert.ok(took < ANSWERED_WITHIN_MS, `it took ${took} ms`)
      for (const [n, [sentAway, taken]] of sent.entries()) {
        assert.deepEqual([sentAway.status, sentAway.body.code], [503, 'STORES_UNAVAILABLE'])
        assert.match(sentAway.headers.get('retry-after') ?? '', /^[1-9]\d*$/)
        assert.deepEqual(
          [taken.status, taken.body],
          [202, { jobId: jobIdOf('git', ids[n] ?? ''), status: 'PENDING' }],
        )
      }
      const queued = await readQueue(rabbitmq)
      assert.deepEqual(queued.map(({ deliveryId }) => deliveryId).sort(), ids.sort())
      // Two pools of six; what waits for a lock must not pile up on the server.
      assert.ok(rows[0].sessions <= 12, `${rows[0].sessions} sessions`)
      await Promise.all([untilRecorded(alone, pool), untilRecorded(withBroker, pool)])
      await readQueue(rabbitmq)
    })
  }
})

test('sessions that end while they write cost no webhook', async (t) => {
  const { pool, url, role } = await createSurroundings(t)
  const handler = await startHandler(t, { DATABASE_URL: url })
  let sending = true
  const cutting = (async () => {
    while (sending) await cutSessions(pool, role)
  })()
  const statuses: number[] = []
  for (let n = 0; n < 20; n++) {
    const answers = await Promise.all(Array.from({ length: 5 }, () => postGit(handler)))
    statuses.push(...answers.map(({ status }) => status))
  }
  sending = false
  await cutting
  assert.deepEqual(
    [...new Set(statuses)].filter((status) => ![202, 503].includes(status)),
    [],
  )
  const accepted = statuses.filter((status) => status === 202).length
  const { rows } = await pool.query('select count(*)::int as jobs from workflow_jobs')
  assert.ok(rows[0].jobs >= accepted, `${rows[0].jobs} jobs of ${accepted} accepted`)
})

/** Every way for RabbitMQ to be away that a network has; the broker being short of disk is in its own suite. */
const BROKER_FAILURES: Record<string, (proxy: TcpProxy) => void> = {
  'refuses connections': (proxy) => proxy.cut(),
  'swallows packets': (proxy) => proxy.blackhole(),
}

for (const [how, fail] of Object.entries(BROKER_FAILURES)) {
  test(`a RabbitMQ that ${how} costs no webhook: the rows wait for the dispatcher`, {
    skip: skipWithoutRabbitmq,
  }, async (t) => {
    const { url, pool } = await createDatabase(t)
    const rabbitmq = new URL(await createVhost())
    const proxy = await startTcpProxy(t, { host: rabbitmq.hostname, port: Number(rabbitmq.port) })
    const handler = await startHandler(t, { DATABASE_URL: url, RABBITMQ_URL: proxy.through(rabbitmq.href) })
    assert.equal((await postGit(handler)).status, 202)

    fail(proxy)
    const answers = await Promise.all(Array.from({ length: 20 }, () => postGit(handler)))
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [202])
    const { rows } = await pool.query(
      `select count(*)::int as waiting from workflow_jobs
       where id = any($1) and status = 'PENDING' and due_at < now() + interval '10 seconds'`,
      [answers.map(({ body }) => body.jobId)],
    )
    assert.equal(rows[0].waiting, 20)
  })
}

/** A database behind a proxy, for a role that is no superuser: those are spared most failures. */
async function createSurroundings(t: TestContext): Promise<Surroundings & { url: string }> {
  const { url, pool } = await createDatabase(t)
  const { hostname, port, pathname } = new URL(url)
  const database = pathname.slice(1)
  const role = `role_of_${database}`
  await pool.query(`
    create role ${role} login password 'secret';
    grant all on schema public to ${role};
    grant all on all tables in schema public to ${role};
    grant all on all sequences in schema public to ${role}`)
  t.after(async () => {
    await pool.query(`drop owned by ${role}; drop role ${role}`)
  })
  const proxy = await startTcpProxy(t, { host: hostname, port: Number(port) })
  const address = new URL(proxy.through(url))
  address.username = role
  address.password = 'secret'
  return { url: address.href, pool, proxy, database, role }
}

async function cutSessions(pool: pg.Pool, role: string): Promise<void> {
  await pool.query('select pg_terminate_backend(pid, 1000) from pg_stat_activity where usename = $1', [role])
}

function post(handler: Handler, id: string) {
  return postGit(handler, undefined, { id })
}

/** Until the handler writes to the database again. */
async function untilRecorded(handler: Handler, pool: pg.Pool): Promise<void> {
  for (;;) {
    const { status, body } = await postGit(handler)
    assert.ok(status === 202 || status === 503, `${status}`)
    if (status !== 202) continue
    if ((await pool.query('select from workflow_jobs where id = $1', [body.jobId])).rowCount === 1) return
  }
}
