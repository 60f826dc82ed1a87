import assert from 'node:assert/strict'
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { startEmbeddedPostgres } from '../../src/cli/stack/embedded-postgres.ts'
import { serverAccount } from '../../src/cli/stack/server-account.ts'
import { silentLog } from '../../src/lib/log.ts'
import { openDatabase } from '../../src/store/database.ts'
import { makeCertificates } from '../support/certificates.ts'

test('a database with a private CA is reached by TLS with that CA, and not with another, or with none', async (t) => {
  const { ca, cert, key, otherCa } = makeCertificates(t)
  const directory = mkdtempSync(path.join(tmpdir(), 'kodus-tls-database-'))
  chmodSync(directory, 0o755)
  const account = serverAccount(directory)
  if (account) chownSync(key, account.uid, account.gid)
  const settings = { ssl: 'on', ssl_cert_file: cert, ssl_key_file: key }
  const server = await startEmbeddedPostgres({ directory, settings, log: silentLog })
  t.after(async () => {
    await server.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  const connect = async (url: string, caFile?: string) => {
    const db = openDatabase({ url, caFile, component: 'test', maxConnections: 1, log: silentLog })
    try {
      const { rows } = await db.query('select ssl from pg_stat_ssl where pid = pg_backend_pid()')
      return rows[0].ssl
    } finally {
      await db.end()
    }
  }
  assert.equal(await connect(server.url, ca), true)
  assert.equal(
    await connect(`${server.url}?sslmode=require`, ca),
    true,
    'an sslmode in the URL does not undo the CA',
  )
  await assert.rejects(connect(server.url, otherCa), /certificate/)
  await assert.rejects(connect(`${server.url}?sslmode=verify-full`), /certificate/)
})

test('a CA file that cannot be read is a clear error, not a connection without TLS', () => {
  const options = {
    url: 'postgresql://localhost/x',
    caFile: '/nowhere/ca.pem',
    component: 'test',
    maxConnections: 1,
  }
  assert.throws(() => openDatabase({ ...options, log: silentLog }), { code: 'DATABASE_CA_UNREADABLE' })
})
