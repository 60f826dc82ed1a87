import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import type { ChangedFile } from '../../src/forges/change.ts'
import { touchedLines } from '../../src/forges/change.ts'
import type { OpenChange } from '../../src/forges/forge.ts'
import {
  createRepository,
  type Files,
  readerFor,
  type TestRepository,
  temporaryDirectory,
} from './fixture.ts'
import { githubReader, serveShop } from './github-fixture.ts'
import { serveSmartHttp } from './smart-http-server.ts'

/** How a repository is read: the same guarantees hold for all of them. */
type Opener = (t: TestContext, repository: TestRepository, head: string) => Promise<OpenChange>

async function byPath(t: TestContext, { path }: TestRepository, head: string) {
  return await readerFor(t, { roots: [join(path, '..')] }).open(path, 'main', head)
}

async function byUrl(t: TestContext, { path }: TestRepository, head: string) {
  const origin = await serveSmartHttp(t, { root: join(path, '..') })
  const reader = readerFor(t, { allowedProtocols: ['http'], allowedHosts: ['127.0.0.1'] })
  return await reader.open(`${origin}/shop.git`, 'main', head)
}

async function byGitHub(t: TestContext, { path }: TestRepository, head: string) {
  const shop = await serveShop(t, { existing: path })
  return await (await githubReader(t, shop.origin)).open({ baseBranch: 'main', head })
}

const OPENERS: [string, Opener][] = [
  ['a repository on this machine', byPath],
  ['a repository at a URL', byUrl],
  ['a repository at GitHub', byGitHub],
]

const numbered = (count: number, rewrite: Record<number, string> = {}) =>
  Array.from({ length: count }, (_, index) => `${rewrite[index + 1] ?? `line ${index + 1}`}\n`).join('')

/** The parts that the answer is judged by. */
const brief = (files: ChangedFile[] | undefined) =>
  files?.map((file) =>
    [file.status, file.previousPath ?? '', file.path, [...touchedLines(file)].join()].join(' '),
  )

for (const [where, open] of OPENERS) {
  describe(`what changed since an earlier head, in ${where}`, () => {
    /** main, an earlier head, and a later one that follows it or replaces it. */
    async function pushed(t: TestContext, earlier: Files, later: Files, { rewritten = false } = {}) {
      const directory = join(temporaryDirectory(t), 'octo')
      const repository = createRepository(join(directory, 'shop.git'), { bare: true })
      const base = repository.commit('main', { keep: 'x\n', 'old.ts': numbered(30) })
      const before = repository.commit('topic', earlier, base)
      const after = repository.commit('topic', later, rewritten ? base : before)
      return { repository, base, before, after, change: await open(t, repository, after) }
    }

    test('is told for the files asked for, and for no other', async (t) => {
      const { change, before } = await pushed(
        t,
        { 'a.ts': numbered(30), 'b.ts': 'b\n', 'same.ts': 's\n' },
        { 'a.ts': numbered(30, { 20: 'x' }), 'b.ts': 'c\n', 'same.ts': 's\n' },
      )
      assert.deepEqual(brief(await change.changedSince(before, ['a.ts', 'same.ts', 'missing'])), [
        'modified  a.ts 20',
      ])
      assert.deepEqual(await change.changedSince(before, []), [])
    })

    test('follows a rename under either of its names, edits included', async (t) => {
      const { change, before } = await pushed(
        t,
        { 'old.ts': numbered(30), 'other.ts': numbered(10, { 1: 'o' }) },
        { 'dir/new.ts': numbered(30, { 5: 'five' }), 'moved.ts': numbered(10, { 1: 'o' }) },
      )
      const expected = ['renamed old.ts dir/new.ts 5']
      assert.deepEqual(brief(await change.changedSince(before, ['dir/new.ts'])), expected)
      assert.deepEqual(brief(await change.changedSince(before, ['old.ts'])), expected)
      const both = await change.changedSince(before, ['old.ts', 'dir/new.ts', 'moved.ts'])
      assert.deepEqual(brief(both)?.sort(), [...expected, 'renamed other.ts moved.ts '].sort())
    })

    test('tells of files that came and files that went', async (t) => {
      const { change, before } = await pushed(t, { gone: 'g\n' }, { came: 'completely\nelse\n' })
      assert.deepEqual(brief(await change.changedSince(before, ['gone', 'came']))?.sort(), [
        'added  came 1,2',
        'deleted  gone ',
      ])
    })

    test('understands a rewritten branch, as long as the old head is to be had', async (t) => {
      const { change, before } = await pushed(
        t,
        { 'a.ts': numbered(30, { 3: 'three' }) },
        { 'a.ts': numbered(30, { 3: 'three', 9: 'nine' }) },
        { rewritten: true },
      )
      assert.deepEqual(brief(await change.changedSince(before, ['a.ts'])), ['modified  a.ts 9'])
      assert.deepEqual(brief(await change.changedSince(before, ['a.ts'])), ['modified  a.ts 9'])
      assert.equal(await change.readFile('head', 'a.ts'), numbered(30, { 3: 'three', 9: 'nine' }))
    })

    test('is unknown for a head that is gone, or is no commit id at all', async (t) => {
      const { change, after, repository } = await pushed(t, { a: '1\n' }, { a: '2\n' })
      for (const commit of ['e'.repeat(40), 'e'.repeat(64), 'topic', 'HEAD', '', '--all']) {
        assert.equal(await change.changedSince(commit, ['a']), undefined, commit)
      }
      assert.deepEqual(await change.changedSince(after, ['a']), [])
      assert.ok(repository)
    })

    test('takes line ends, missing line ends, binaries, links, submodules and odd names as they come', async (t) => {
      const { change, before } = await pushed(
        t,
        {
          crlf: 'a\r\nb\r\n',
          noeol: 'a\nb',
          binary: Buffer.from('\0\u0001'),
          link: { mode: '120000', content: 'x' },
          module: { submodule: '1'.repeat(40) },
          'é\t"\n*': 'odd\n',
        },
        {
          crlf: 'a\r\nc\r\n',
          noeol: 'a\nb\nc',
          binary: Buffer.from('\0\u0002'),
          link: { mode: '120000', content: 'y' },
          module: { submodule: '2'.repeat(40) },
          'é\t"\n*': 'odder\n',
        },
      )
      const paths = ['crlf', 'noeol', 'binary', 'link', 'module', 'é\t"\n*']
      const files = (await change.changedSince(before, paths)) ?? []
      const byPath = new Map(files.map((file) => [file.path, file]))
      assert.deepEqual([...byPath.keys()].sort(), [...paths].sort())
      assert.deepEqual(
        paths.map((path) => byPath.get(path)?.kind),
        ['text', 'text', 'binary', 'symlink', 'submodule', 'text'],
      )
      assert.deepEqual(
        byPath.get('crlf')?.hunks[0]?.lines.map(({ text }) => text),
        ['a\r', 'b\r', 'c\r'],
      )
      assert.deepEqual([...touchedLines(byPath.get('noeol') as ChangedFile)], [2, 3])
    })
  })
}

test('a rename among thousands of files that came is told as a file added, and takes no minutes', async (t) => {
  const repository = createRepository(join(temporaryDirectory(t), 'octo', 'shop.git'), { bare: true })
  const base = repository.commit('main', { keep: 'x\n' })
  const old = Object.fromEntries(
    Array.from({ length: 1200 }, (_, n) => [`old/${n}`, numbered(9, { 2: `${n}` })]),
  )
  const before = repository.commit('topic', old, base)
  const moved = Object.fromEntries(
    Object.entries(old).map(([path, text]) => [path.replace('old', 'new'), text]),
  )
  const after = repository.commit('topic', moved, before)
  const change = await byPath(t, repository, after)
  assert.deepEqual(brief(await change.changedSince(before, ['new/7'])), ['added  new/7 1,2,3,4,5,6,7,8,9'])
})
