import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { KodusError } from '../../src/lib/errors.ts'
import { silentLog } from '../../src/lib/log.ts'
import { openDatabase } from '../../src/store/database.ts'
import { isDatabaseUnavailable, isDataError, namingOutages } from '../../src/store/outages.ts'
import { createDatabase } from '../support/database.ts'

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => assert.fail('it succeeded'),
    (error: unknown) => error,
  )

test('a server that is absent, silent, or ends the session is an outage', async (t) => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.after(() => silent.close())
  const port = (silent.address() as AddressInfo).port
  const absentUrl = 'postgresql://127.0.0.1:1/none'
  for (const url of [absentUrl, `postgresql://127.0.0.1:${port}/none`]) {
    const db = openDatabase({
      url,
      component: 'test',
      maxConnections: 1,
      queryTimeoutMs: 200,
      log: silentLog,
    })
    assert.equal(isDatabaseUnavailable(await failureOf(db.query('select 1'))), true, url)
    await db.end()
  }
  const { pool } = await createDatabase(t)
  const client = await pool.connect()
  client.on('error', () => {})
  const ended = failureOf(client.query('select pg_terminate_backend(pg_backend_pid())'))
  assert.equal(isDatabaseUnavailable(await ended), true)
  client.release(true)
})

test('bad data, a wrong statement and our own mistakes are no outage', async (t) => {
  const { pool } = await createDatabase(t)
  const badData = await failureOf(pool.query(`select 'x'::int`))
  assert.deepEqual([isDatabaseUnavailable(badData), isDataError(badData)], [false, true])
  const wrong = await failureOf(pool.query('select from nowhere'))
  assert.deepEqual([isDatabaseUnavailable(wrong), isDataError(wrong)], [false, false])
  assert.equal(isDatabaseUnavailable(new TypeError('x is not a function')), false)
  const ours = new KodusError('KEY_UNKNOWN', 'no connection to that key', { help: '' })
  assert.equal(await failureOf(namingOutages(Promise.reject(ours))), ours)
})

test('a connection that ends when it has just been handed out ends no process', async (t) => {
  const { url } = await createDatabase(t)
  const pool = openDatabase({ url, component: 'test', maxConnections: 1, log: silentLog })
  const client = await pool.connect()
  client.emit('error', new Error('terminating connection due to administrator command'))
  client.release(true)
  await pool.end()
})
