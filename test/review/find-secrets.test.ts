import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import type { Finding } from '../../src/review/review.ts'
import { findSecrets } from '../../src/review/rules/find-secrets.ts'

// Put together at run time: in one piece, scanners that guard repositories would refuse this file.
const PASSWORD = ['vX7', 'qLw2', 'Zt9e'].join('')
const DATABASE_URL = `postgres${'://'}orders:${PASSWORD}@db.internal.net:5432/orders`
const BASIC_AUTH = `https${'://'}deploy:${PASSWORD}@artifacts.internal.net/npm`
const AWS_KEY = ['b7Kx', 'Qz0pLr8TnVw', '3YsJd6HfGm1Ce', 'A9uXo2Ri5Eq4'].join('')
const SLACK_TOKEN = ['xoxb', '263594206564', '2343594206574', 'FGqddMF8t08v8N7Oq4i57vs1'].join('-')
const PRIVATE_KEY = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString()
  .trim()

function everyLine(text: string): Set<number> {
  return new Set(text.split('\n').map((_, index) => index + 1))
}

function scan(text: string, touched: ReadonlySet<number> = everyLine(text), path = 'config/app.yaml') {
  return findSecrets({ path, text, touched })
}

function only(findings: readonly Finding[]): Finding {
  assert.equal(findings.length, 1)
  return findings[0] as Finding
}

describe('a secret on a touched line', () => {
  const kinds: [rule: string, secret: string][] = [
    ['secret/database-connection-string', DATABASE_URL],
    ['secret/basicauth', BASIC_AUTH],
    ['secret/aws', AWS_KEY],
    ['secret/slack', SLACK_TOKEN],
    ['secret/privatekey', PRIVATE_KEY],
  ]
  for (const [rule, secret] of kinds) {
    test(`of kind ${rule} is critical, and no field of the finding shows any of it`, async () => {
      const text = `name: orders\naws_secret_access_key: "${secret}"\nport: 1\n`
      const finding = only(await scan(text))
      assert.equal(finding.rule, rule)
      assert.equal(finding.source, 'secret')
      assert.equal(finding.severity, 'critical')
      assert.equal(finding.line, 2)
      assert.equal(finding.endLine, 1 + secret.split('\n').length)
      assert.equal(finding.replacement, undefined)
      const shown = JSON.stringify(finding)
      for (let at = 0; at + 8 <= secret.length; at++) {
        assert.ok(!shown.includes(JSON.stringify(secret.slice(at, at + 8)).slice(1, -1)))
      }
    })
  }

  test('is found in any kind of file, also without an extension', async () => {
    for (const path of ['main.go', 'Dockerfile', 'deploy.sh', '.env', 'a/b.p12', '../../etc/x.p12']) {
      assert.equal(only(await scan(`url = "${DATABASE_URL}"\n`, new Set([1]), path)).path, path)
    }
  })

  test('is found behind a byte order mark, CRLF, and characters that only some call a line break', async () => {
    const text = `\uFEFFa: 1\r\nb: "\u2028\u0085\r"\r\nc: ${DATABASE_URL}\r\n`
    assert.equal(only(await scan(text)).line, 3)
  })

  test('is found once where two scanners or two secrets meet on a line', async () => {
    assert.equal(only(await scan(`${DATABASE_URL} ${DATABASE_URL} ${BASIC_AUTH}\n`)).line, 1)
  })

  test('in the JSON of a Google service account points at its key, not at the whole file', async () => {
    const account = { type: 'service_account', private_key_id: '1', private_key: PRIVATE_KEY, client_id: '2' }
    const text = JSON.stringify(account, undefined, 2)
    const finding = only(await scan(text, everyLine(text), 'account.json'))
    assert.deepEqual([finding.line, finding.endLine], [4, 4])
  })

  test('is found although a directive in the file asks the scanner to look away', async () => {
    const text = `# secretlint-disable\nurl: ${DATABASE_URL} # secretlint-disable-line\n`
    assert.equal(only(await scan(text)).line, 2)
  })
})

describe('nothing is reported', () => {
  test('for a secret on a line that the change did not touch', async () => {
    const text = `a: ${DATABASE_URL}\nb: 1\n`
    assert.deepEqual(await scan(text, new Set([2])), [])
    assert.deepEqual(await scan(text, new Set()), [])
  })

  test('for placeholders, variables and well-known examples', async () => {
    const text = [
      `a: postgres${'://'}orders:\${PASSWORD}@db/orders`,
      `b: postgres${'://'}user:password@localhost/orders`,
      `c: AKIA${'IOSFODNN7EXAMPLE'}`,
      'd: postgres://db.internal.net/orders',
      'aws_account_id: "123412341234"',
    ].join('\n')
    assert.deepEqual(await scan(text), [])
  })
})

describe('the id of a secret', () => {
  test('stays when the line moves, and differs for another secret, path or occurrence', async () => {
    const line = `url: ${DATABASE_URL}`
    const { id } = only(await scan(line))
    assert.match(id, /^[0-9a-f]{16}$/)
    assert.equal(only(await scan(`a: 1\r\n  ${line}\r\n`)).id, id)
    assert.notEqual(only(await scan(`${line}x`)).id, id)
    assert.notEqual(only(await scan(line, new Set([1]), 'other.yaml')).id, id)
    const [first, second] = await scan(`${line}\n${line}\n`)
    assert.equal(first?.id, id)
    assert.notEqual(second?.id, id)
    assert.equal(only(await scan(`${line}\n${line}\n`, new Set([2]))).id, second?.id)
    const indented = await scan(`${line}\n  ${line}\n`)
    assert.notEqual(indented[0]?.id, indented[1]?.id)
  })
})

describe('hostile files are scanned to the end', () => {
  const repeat = (piece: string): string => piece.repeat(Math.ceil((1024 * 1024) / piece.length))
  const hostile: Record<string, string> = {
    'an empty file': '',
    NUL: repeat('\0'),
    'one line': repeat('a'),
    'line breaks': repeat('\n'),
    'lone surrogates': repeat('\uD800'),
    schemes: repeat('postgres://'),
    'half a URL': repeat('https://a:a'),
    'begun keys': repeat(`-----BEGIN ${'RSA PRIVATE KEY'}-----\n`),
    'tokens of nothing': repeat('_authToken='),
    directives: repeat('// secretlint-disable\n'),
    'one line of secrets': repeat(`${BASIC_AUTH} `),
    'nothing but secrets': repeat(`${BASIC_AUTH}\n`),
  }
  for (const [name, text] of Object.entries(hostile)) {
    test(name, { timeout: 60_000 }, async () => {
      const findings = await scan(text)
      const lines = text.split('\n').filter((line) => line.includes(PASSWORD))
      assert.equal(findings.length, lines.length)
    })
  }
})
