import assert from 'node:assert/strict'
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { startEmbeddedPostgres } from '../../src/cli/stack/embedded-postgres.ts'
import { serverAccount } from '../../src/cli/stack/server-account.ts'
import { silentLog } from '../../src/lib/log.ts'
import { readDatabaseConfig } from '../../src/store/config.ts'
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

  const connect = async (url: string, env: Record<string, string> = {}) => {
    const { databaseUrl, databaseCa } = readDatabaseConfig({ DATABASE_URL: url, ...env })
    const options = { url: databaseUrl, ca: databaseCa, component: 'test', maxConnections: 1 }
    const db = openDatabase({ ...options, log: silentLog })
    try {
      const { rows } = await db.query('select ssl from pg_stat_ssl where pid = pg_backend_pid()')
      return rows[0].ssl
    } finally {
      await db.end()
    }
  }
  const pem = (file: string) => readFileSync(file, 'utf8')
  assert.equal(await connect(server.url, { DATABASE_CA_FILE: ca }), true)
  assert.equal(await connect(server.url, { DATABASE_CA: pem(ca) }), true)
  assert.equal(await connect(server.url, { DATABASE_CA: pem(otherCa) + pem(ca) }), true, 'one of several')
  assert.equal(
    await connect(`${server.url}?sslmode=require`, { DATABASE_CA: pem(ca) }),
    true,
    'an sslmode in the URL does not undo the CA',
  )
  await assert.rejects(connect(server.url, { DATABASE_CA_FILE: otherCa }), /certificate/)
  await assert.rejects(connect(server.url, { DATABASE_CA: pem(otherCa) }), /certificate/)
  await assert.rejects(connect(`${server.url}?sslmode=verify-full`), /certificate/)
})

test('a CA that cannot be used is a clear error, not a connection without TLS', (t) => {
  const { ca } = makeCertificates(t)
  const pem = readFileSync(ca, 'utf8')
  for (const [env, code, message] of [
    [{ DATABASE_CA_FILE: '/nowhere/ca.pem' }, 'DATABASE_CA_UNREADABLE', /nowhere/],
    [{ DATABASE_CA: '/somewhere/ca.pem' }, 'CONFIG_INVALID', /DATABASE_CA is no certificate/],
    [{ DATABASE_CA: pem.replaceAll('\n', '\\n') }, 'CONFIG_INVALID', /DATABASE_CA is no certificate/],
    [{ DATABASE_CA: pem, DATABASE_CA_FILE: ca }, 'CONFIG_INVALID', /Both/],
  ] as const) {
    assert.throws(() => readDatabaseConfig({ DATABASE_URL: 'postgresql://localhost/x', ...env }), {
      code,
      message,
    })
  }
})
