import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import { migrate } from '../../src/store/migrate.ts'
import { createDatabase } from '../support/database.ts'

test('migrations run once when many processes start together', async (t) => {
  const { pool, url } = await createDatabase(t)
  await pool.query('drop schema public cascade')
  await pool.query('create schema public')
  const starters = Array.from({ length: 8 }, () => new pg.Pool({ connectionString: url, max: 1 }))
  t.after(() => Promise.all(starters.map((starter) => starter.end())))
  const ran = await Promise.all(starters.map((starter) => migrate(starter)))
  assert.equal(ran.filter((names) => names.length > 0).length, 1)
  assert.deepEqual(await migrate(pool), [])
})

test('a schema newer than this build is left alone', async (t) => {
  const { pool } = await createDatabase(t)
  await pool.query(`insert into schema_migrations (name) values ('9999-from-the-future.sql')`)
  assert.deepEqual(await migrate(pool), [])
})

test('a session that ends while it waits for the migration lock fails the call, not the process', async (t) => {
  const { pool, url } = await createDatabase(t)
  await pool.query('delete from schema_migrations')
  const holder = await pool.connect()
  t.after(() => holder.release())
  await holder.query('select pg_advisory_lock(7035114921)')
  const starter = new pg.Pool({ connectionString: url, max: 1, application_name: 'starter' })
  t.after(() => starter.end())
  starter.on('error', () => {})
  const migrating = migrate(starter).then(
    () => 'migrated',
    (error: Error) => error.message,
  )
  for (let ended = 0; ended === 0; ) {
    const { rowCount } = await pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'starter' and wait_event = 'advisory'`,
    )
    ended = rowCount ?? 0
  }
  assert.match(await migrating, /terminat/)
  await holder.query('select pg_advisory_unlock(7035114921)')
})
