import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { touchedLines } from '../../src/forges/change.ts'
import type { KodusError } from '../../src/lib/errors.ts'
import { makeCertificates } from '../support/certificates.ts'
import { githubReader, serveShop, TOKEN } from './github-fixture.ts'

describe('the head of a pull request', () => {
  test('is fetched by its id, also from a fork: GitHub keeps it in the repository it wants to go to', async (t) => {
    const shop = await serveShop(t)
    const base = shop.repository.commit('main', { a: '1\n' })
    const head = shop.repository.commit('fork', { a: '2\n' }, base)
    shop.repository.git('update-ref', 'refs/pull/1/head', head)
    shop.repository.git('update-ref', '-d', 'refs/heads/fork')
    const { change } = await (await githubReader(t, shop.origin)).open({ baseBranch: 'main', head })
    assert.deepEqual([change.base, change.head, change.repository], [base, head, 'octo/shop'])
  })

  test('is had from a server that hands out nothing but tips, until the pull request moves on', async (t) => {
    const shop = await serveShop(t, { firstProtocol: true, filters: false })
    const base = shop.repository.commit('main', { a: '1\n' })
    const head = shop.repository.commit('fork', { a: '2\n' }, base)
    const moved = shop.repository.commit('fork', { a: '3\n' }, head)
    shop.repository.git('update-ref', '-d', 'refs/heads/fork')
    shop.repository.git('update-ref', 'refs/pull/7/head', head)
    const request = { baseBranch: 'main', head, pullRequest: '7' }
    const reader = await githubReader(t, shop.origin)
    assert.equal((await reader.open(request)).change.head, head)

    shop.repository.git('update-ref', 'refs/pull/7/head', moved)
    const fresh = await githubReader(t, shop.origin)
    await assert.rejects(fresh.open(request), (error: KodusError) => {
      assert.deepEqual([error.code, error.retryability], ['GIT_REF_NOT_FOUND', 'permanent'])
      assert.match(error.message, new RegExp(`has moved on: its head is ${moved}`))
      return true
    })
  })

  test('that nobody has any more is told as such', async (t) => {
    const shop = await serveShop(t)
    const base = shop.repository.commit('main', { a: '1\n' })
    const head = shop.repository.commit('topic', { a: '2\n' }, base)
    shop.repository.git('update-ref', 'refs/pull/1/head', head)
    const reader = await githubReader(t, shop.origin)
    const gone = 'e'.repeat(40)
    await assert.rejects(reader.open({ baseBranch: 'main', head: gone }), {
      code: 'GIT_REF_NOT_FOUND',
      message: /has moved on/,
    })
    await assert.rejects(reader.open({ baseBranch: 'main', head: gone, pullRequest: null }), {
      code: 'GIT_REF_NOT_FOUND',
    })
    await assert.rejects(reader.open({ baseBranch: 'nowhere', head }), { code: 'GIT_REF_NOT_FOUND' })
    await assert.rejects(reader.open({ base: 'main', head: 'topic' }), { code: 'GIT_REF_REFUSED' })
    assert.equal((await reader.open({ baseBranch: 'main', head })).change.head, head)
  })

  test('is compared with the tip of the base branch, not with the commit the webhook named', async (t) => {
    const shop = await serveShop(t)
    const stale = shop.repository.commit('main', { a: '1\n', b: '1\n' })
    const tip = shop.repository.commit('main', { a: '1\n', b: '2\n' }, stale)
    const head = shop.repository.commit('topic', { a: '2\n', b: '2\n' }, tip)
    const reader = await githubReader(t, shop.origin)
    const byBranch = await reader.open({ base: stale, baseBranch: 'main', head })
    assert.deepEqual(
      byBranch.change.files.map(({ path }) => path),
      ['a'],
    )
    const byId = await reader.open({ base: stale, head })
    assert.deepEqual(
      byId.change.files.map(({ path }) => path),
      ['a', 'b'],
    )
  })
})

test('every kind of file is read from a mirror without blobs as from a whole repository', async (t) => {
  const shop = await serveShop(t)
  const numbered = (line: string) =>
    Array.from({ length: 30 }, (_, n) => (n === 9 ? line : `line ${n}\n`)).join('')
  const base = shop.repository.commit('main', {
    'old.ts': numbered('ten\n'),
    'same.txt': 'unchanged\n',
    crlf: 'a\r\nb\r\n',
    noeol: 'a\nb',
    binary: Buffer.from('\0\u0001'),
    link: { mode: '120000', content: 'x' },
    module: { submodule: '1'.repeat(40) },
    gone: 'g\n',
    'exact.ts': 'moved as it is\n',
    'kodus-config.yml': 'ignorePaths: []\n',
  })
  const head = shop.repository.commit(
    'topic',
    {
      'dir/new.ts': numbered('TEN\n'),
      'same.txt': 'unchanged\n',
      crlf: 'a\r\nc\r\n',
      noeol: 'a\nb\nc',
      binary: Buffer.from('\0\u0002'),
      link: { mode: '120000', content: 'y' },
      module: { submodule: '2'.repeat(40) },
      'moved.ts': 'moved as it is\n',
      'kodus-config.yml': 'ignorePaths: []\n',
    },
    base,
  )
  const reader = await githubReader(t, shop.origin)
  const open = await reader.open({ baseBranch: 'main', head })
  assert.deepEqual(
    open.change.files.map((file) =>
      [file.status, file.kind, file.previousPath ?? '', file.path, [...touchedLines(file)].join()].join(' '),
    ),
    [
      'modified binary  binary ',
      'modified text  crlf 2',
      'renamed text old.ts dir/new.ts 10',
      'deleted text  gone ',
      'modified symlink  link ',
      'modified submodule  module ',
      'renamed text exact.ts moved.ts ',
      'modified text  noeol 2,3',
    ],
  )
  assert.equal(await open.readFile('base', 'crlf'), 'a\r\nb\r\n')
  assert.equal(await open.readFile('head', 'noeol'), 'a\nb\nc')

  const before = open.change.fetchedBytes
  assert.equal(await open.readFile('base', 'kodus-config.yml'), 'ignorePaths: []\n')
  assert.equal(open.change.fetchedBytes, before, 'the configuration came with the first blobs')
  assert.equal(await open.readFile('base', 'same.txt'), 'unchanged\n')
  assert.ok(open.change.fetchedBytes > before, 'another file is fetched when it is asked for, and counted')
})

test('a file too large to be reviewed is told as binary, and not read', async (t) => {
  const shop = await serveShop(t)
  const base = shop.repository.commit('main', { a: '1\n' })
  const head = shop.repository.commit(
    'topic',
    { a: '1\n', large: `${randomBytes(700_000).toString('hex')}\n` },
    base,
  )
  const open = await (await githubReader(t, shop.origin)).open({ baseBranch: 'main', head })
  assert.deepEqual(open.change.files, [{ path: 'large', status: 'added', kind: 'binary', hunks: [] }])
  assert.equal(await open.readFile('head', 'large'), undefined)
})

test('a repository with SHA-256 ids is mirrored like any other', async (t) => {
  const shop = await serveShop(t, { format: 'sha256' })
  const base = shop.repository.commit('main', { a: '1\n' })
  const head = shop.repository.commit('topic', { a: '2\n' }, base)
  const later = shop.repository.commit('topic', { a: '3\n' }, base)
  const reader = await githubReader(t, shop.origin)
  await (await reader.open({ baseBranch: 'main', head })).close()
  const open = await reader.open({ baseBranch: 'main', head: later })
  assert.equal(open.change.head.length, 64)
  assert.equal(await open.readFile('head', 'a'), '3\n')
  const since = await open.changedSince(head, ['a'])
  assert.deepEqual(
    since?.map(({ path }) => path),
    ['a'],
  )
})

test('3,000 files in one change', async (t) => {
  const shop = await serveShop(t)
  const files = (version: string) =>
    Object.fromEntries(
      Array.from({ length: 3000 }, (_, n) => [
        `src/${n % 50}/f${n}.ts`,
        `export const a${n} = ${version}\n`.repeat(20),
      ]),
    )
  const base = shop.repository.commit('main', files('1'))
  const head = shop.repository.commit('topic', files('2'), base)
  const reader = await githubReader(t, shop.origin)
  const started = performance.now()
  const open = await reader.open({ baseBranch: 'main', head })
  const ms = Math.round(performance.now() - started)
  assert.equal(open.change.files.length, 3000)
  assert.ok(open.change.files.every(({ hunks }) => hunks.length > 0))
  const fetches = shop.asked.filter((path) => path.includes('info/refs')).length
  assert.equal(
    fetches,
    2 * 2,
    'one fetch for the commits, one for all blobs; each is asked for a login first',
  )
  t.diagnostic(`${ms} ms, ${open.change.fetchedBytes} bytes`)
})

describe('the token', () => {
  test('is offered to the configured GitHub alone, and asked for anew before each fetch', async (t) => {
    const elsewhere: (string | undefined)[] = []
    const other = await serveShop(t, {
      intercept: ({ headers }) => {
        elsewhere.push(headers.authorization)
        return false
      },
    })
    const shop = await serveShop(t, {
      intercept: ({ url = '' }, response) => {
        if (!url.startsWith('/octo/moved')) return false
        response.writeHead(302, { location: `${other.origin}${url.replace('moved', 'shop')}` }).end()
        return true
      },
    })
    const base = shop.repository.commit('main', { a: '1\n' })
    const head = shop.repository.commit('topic', { a: '2\n' }, base)
    const askedFor: string[] = []
    const client = {
      async gitToken(repository: string) {
        askedFor.push(repository)
        return TOKEN
      },
    }
    const reader = await githubReader(t, shop.origin, { client })
    await reader.open({ baseBranch: 'main', head })
    assert.deepEqual(askedFor, ['octo/shop', 'octo/shop'])
    await assert.rejects(reader.open({ repository: 'octo/moved', baseBranch: 'main', head }), {
      code: 'GIT_REDIRECTED',
    })
    assert.deepEqual(elsewhere, [])
  })

  test('stands in no file of the mirror', async (t) => {
    const shop = await serveShop(t)
    const base = shop.repository.commit('main', { a: '1\n' })
    const head = shop.repository.commit('topic', { a: '2\n' }, base)
    const reader = await githubReader(t, shop.origin)
    await reader.open({ baseBranch: 'main', head })
    const files = readdirSync(reader.directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    assert.ok(files.some((content) => content.includes(shop.origin)))
    const secrets = [TOKEN, Buffer.from(`x-access-token:${TOKEN}`).toString('base64')]
    assert.deepEqual(
      files.filter((content) => secrets.some((secret) => content.includes(secret))),
      [],
    )
  })

  test('that is refused is an error, and leaves no mirror', async (t) => {
    const shop = await serveShop(t)
    const reader = await githubReader(t, shop.origin, { client: { gitToken: async () => 'another' } })
    await assert.rejects(reader.open({ baseBranch: 'main', head: 'a'.repeat(40) }), {
      code: 'GIT_ACCESS_DENIED',
    })
    assert.deepEqual(reader.found(), [])
  })
})

test('only names that GitHub could have given, and that the operator allows, become part of an address', async (t) => {
  const shop = await serveShop(t)
  const config = { gitOrigin: shop.origin, repositories: ['octo/shop', 'hubot'], caFile: undefined }
  const reader = await githubReader(t, shop.origin, { config })
  const fails = async (repository: string, code: string) =>
    await assert.rejects(
      reader.open({ repository, baseBranch: 'main', head: 'a'.repeat(40) }),
      { code },
      repository,
    )
  for (const name of [
    'octo',
    'octo/..',
    '../shop',
    'octo/shop/x',
    'octo/sh op',
    'octo/shop?x',
    '@x/y',
    '',
    'a/b\n',
  ]) {
    await fails(name, 'GITHUB_REPOSITORY_INVALID')
  }
  await fails('octo/secret', 'REPOSITORY_NOT_ALLOWED')
  assert.deepEqual(shop.asked, [])
})

test('the certificate authorities configured for GitHub are the ones that git trusts there', async (t) => {
  const { ca, otherCa, cert, key } = makeCertificates(t)
  const shop = await serveShop(t, { tls: { cert: readFileSync(cert), key: readFileSync(key) } })
  const base = shop.repository.commit('main', { a: '1\n' })
  const head = shop.repository.commit('topic', { a: '2\n' }, base)
  const open = async (caFile: string | undefined) => {
    const config = { gitOrigin: shop.origin, repositories: [], caFile }
    return await (await githubReader(t, shop.origin, { config })).open({ baseBranch: 'main', head })
  }
  assert.equal((await open(ca)).change.head, head)
  await assert.rejects(open(otherCa), { code: 'GIT_UNREACHABLE' })
  await assert.rejects(open(undefined), { code: 'GIT_UNREACHABLE' })
})
