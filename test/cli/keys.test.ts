import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findApiKey } from '../../src/store/find-api-key.ts'
import { createDatabase } from '../support/database.ts'
import { kodus } from '../support/kodus.ts'

test('a key is printed once, stored as a hash, listed without it, and ends when it is revoked', async (t) => {
  const { pool: db, url } = await createDatabase(t)
  const env = { DATABASE_URL: url }
  const created = await kodus(['keys', 'create', '--scope', 'read,write', 'ci'], env)
  assert.equal(created.code, 0, created.stderr)
  const key = created.stdout.trim()
  assert.deepEqual(await findApiKey(db, key), { name: 'ci', scopes: ['read', 'write'] })
  const { rows } = await db.query(`select row_to_json(api_keys)::text as stored from api_keys`)
  assert.equal(rows[0].stored.includes(key), false)

  const listed = await kodus(['keys', 'list'], env)
  assert.match(listed.stdout, /read,write.*ci/)
  assert.equal(listed.stdout.includes(key), false)

  const id = listed.stdout.split(' ')[0] ?? ''
  assert.equal((await kodus(['keys', 'revoke', id], env)).code, 0)
  assert.equal(await findApiKey(db, key), undefined)
  const again = await kodus(['keys', 'revoke', id], env)
  assert.equal(again.code, 2)
  assert.match(again.stderr, /KEY_UNKNOWN/)
})

test('a key may only read unless it is told otherwise', async (t) => {
  const { pool: db, url } = await createDatabase(t)
  const { stdout } = await kodus(['keys', 'create', 'dashboard'], { DATABASE_URL: url })
  assert.deepEqual((await findApiKey(db, stdout.trim()))?.scopes, ['read'])
})

test('without a database, the command says which variable to set', async () => {
  const { code, stderr } = await kodus(['keys', 'list'], { DATABASE_URL: '' })
  assert.equal(code, 2)
  assert.match(stderr, /CONFIG_MISSING: DATABASE_URL is not set/)
})

test('a database that is away is named as the reason', async () => {
  const { code, stderr } = await kodus(['keys', 'list'], { DATABASE_URL: 'postgresql://127.0.0.1:1/none' })
  assert.equal(code, 2)
  assert.match(stderr, /DATABASE_UNAVAILABLE/)
})
