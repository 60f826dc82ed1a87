import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { claimSlot } from '../../src/lib/git/claim-slot.ts'
import { readGitSettings } from '../../src/lib/git/config.ts'
import { openMirrorCache } from '../../src/lib/git/mirror-cache.ts'
import { DEFAULT_LIMITS } from '../../src/lib/git/settings.ts'
import { silentLog } from '../../src/lib/log.ts'
import { type Files, plainGit, type TestRepository, temporaryDirectory } from './fixture.ts'
import { type GitHubTestReader, githubReader, serveShop } from './github-fixture.ts'

/** Text that does not compress to nothing. */
const noise = (bytes: number) =>
  `${randomBytes(bytes / 2)
    .toString('hex')
    .replace(/.{80}/g, '$&\n')}\n`

const packsOf = (mirror: string | undefined) => {
  const directory = join(mirror ?? '', 'repository.git', 'objects', 'pack')
  return readdirSync(directory)
    .filter((name) => name.endsWith('.pack'))
    .map((name) => join(directory, name))
}

/** A served repository with some bulk, and a change from `main` to `topic`. */
async function shopWithChange(t: TestContext, options: Parameters<typeof serveShop>[1] = {}) {
  const shop = await serveShop(t, options)
  const bulk: Files = Object.fromEntries(
    Array.from({ length: 50 }, (_, n) => [`src/dir${n % 7}/file${n}.txt`, noise(4000)]),
  )
  const base = shop.repository.commit('main', { ...bulk, 'a.ts': 'let a = 1\n' })
  const head = shop.repository.commit('topic', { ...bulk, 'a.ts': 'let a = 2\n' }, base)
  /** Pushes another state of a.ts to `topic`. */
  const push = (text: string, parent: string) =>
    shop.repository.commit('topic', { ...bulk, 'a.ts': text }, parent)
  return { ...shop, bulk, base, head, push }
}

async function readIt(reader: GitHubTestReader, head: string, text: string) {
  const open = await reader.open({ baseBranch: 'main', head })
  assert.deepEqual(
    open.change.files.map(({ path }) => path),
    ['a.ts'],
  )
  assert.equal(await open.readFile('head', 'a.ts'), text)
  return open
}

describe('a second review of the same repository', () => {
  test('fetches only what the push brought', async (t) => {
    const shop = await shopWithChange(t)
    const whole = packedSize(shop.repository)
    const reader = await githubReader(t, shop.origin)
    const first = await readIt(reader, shop.head, 'let a = 2\n')
    await first.close()
    const sentBefore = shop.sent()

    const head = shop.push('let a = 3\n', shop.head)
    const second = await readIt(reader, head, 'let a = 3\n')
    const { fetchedBytes } = second.change
    t.diagnostic(
      `repository ${whole} B packed, first ${first.change.fetchedBytes} B, second ${fetchedBytes} B`,
    )
    assert.ok(first.change.fetchedBytes > 0)
    assert.ok(first.change.fetchedBytes < whole / 10, 'the first one fetches no file that did not change')
    assert.ok(fetchedBytes > 0 && fetchedBytes < first.change.fetchedBytes / 3)
    assert.ok(shop.sent() - sentBefore >= fetchedBytes, 'no fewer bytes than are claimed came over the wire')
    assert.ok(shop.sent() - sentBefore < fetchedBytes + 4000, 'and little besides: refs and capabilities')
  })

  test('of the same head fetches nothing', async (t) => {
    const shop = await shopWithChange(t)
    const reader = await githubReader(t, shop.origin)
    await (await readIt(reader, shop.head, 'let a = 2\n')).close()
    assert.equal((await readIt(reader, shop.head, 'let a = 2\n')).change.fetchedBytes, 0)
  })

  test('after a restart finds the mirror again', async (t) => {
    const shop = await shopWithChange(t)
    const directory = temporaryDirectory(t)
    const before = await githubReader(t, shop.origin, { directory })
    await (await readIt(before, shop.head, 'let a = 2\n')).close()
    await before.mirrors.close()
    const after = await githubReader(t, shop.origin, { directory })
    assert.equal((await readIt(after, shop.head, 'let a = 2\n')).change.fetchedBytes, 0)
    assert.equal(after.found().length, 1)
  })

  test('in a long history stays small, and a merge base once found deep down is found without asking deeper', async (t) => {
    const shop = await shopWithChange(t)
    const texts = Array.from({ length: 60 }, (_, n) => `let a = ${n}\n`)
    let tip = shop.repository.history('topic', 'a.ts', texts, shop.head)
    const reader = await githubReader(t, shop.origin)
    const first = await readIt(reader, tip, 'let a = 59\n')
    assert.equal(first.change.mergeBase, shop.base)
    const rounds = () => shop.asked.splice(0).filter((path) => path.includes('info/refs')).length
    assert.equal(rounds(), 2 * 2 + 2, '50 commits, 1000 commits, blobs; each is asked for a login first')

    tip = shop.push('let a = "new"\n', tip)
    const second = await readIt(reader, tip, 'let a = "new"\n')
    assert.equal(second.change.mergeBase, shop.base)
    assert.equal(rounds(), 2 + 2)
    t.diagnostic(`first ${first.change.fetchedBytes} B, second ${second.change.fetchedBytes} B`)
    assert.ok(second.change.fetchedBytes < first.change.fetchedBytes / 10)
  })

  test('is not sent what a third one brought in between, nor what an earlier one had', async (t) => {
    const shop = await shopWithChange(t)
    const texts = Array.from({ length: 40 }, (_, n) => `let a = ${n}\n`)
    const tip = shop.repository.history('topic', 'a.ts', texts, shop.head)
    const other = shop.repository.commit('other', { ...shop.bulk, 'a.ts': 'let a = "other"\n' }, shop.base)
    const reader = await githubReader(t, shop.origin)
    const first = await readIt(reader, tip, 'let a = 39\n')
    await readIt(reader, other, 'let a = "other"\n')
    const second = await readIt(reader, shop.push('let a = "new"\n', tip), 'let a = "new"\n')
    assert.ok(second.change.fetchedBytes < first.change.fetchedBytes / 10)
  })

  test('of a history that is cut off reads any file, and an earlier head without its history', async (t) => {
    const shop = await shopWithChange(t)
    const texts = Array.from({ length: 200 }, (_, n) => `${n} ${noise(100)}`)
    const long = shop.repository.history('main', 'a.ts', texts, shop.base)
    const main = shop.repository.commit('main', { ...shop.bulk, 'a.ts': 'let a = 1\n' }, long)
    const head = shop.push('let a = 2\n', main)
    const old = shop.repository.git('rev-parse', `${long}~100`)
    const earlier = shop.repository.commit('earlier', { ...shop.bulk, 'a.ts': 'let a = 0\n' }, old)
    const reader = await githubReader(t, shop.origin)
    const open = await readIt(reader, head, 'let a = 2\n')
    assert.equal(await open.readFile('base', 'src/dir0/file0.txt'), shop.bulk['src/dir0/file0.txt'])
    const before = open.change.fetchedBytes
    const since = await open.changedSince(earlier, ['a.ts'])
    assert.deepEqual(
      since?.map(({ path }) => path),
      ['a.ts'],
    )
    assert.ok(open.change.fetchedBytes - before < 2_000, `${open.change.fetchedBytes - before} B`)
    const again = await readIt(reader, head, 'let a = 2\n')
    assert.equal(again.change.mergeBase, main)
  })

  test('is right about the merge base when main has moved on meanwhile, and when it was merged', async (t) => {
    const shop = await shopWithChange(t)
    const reader = await githubReader(t, shop.origin)
    await (await readIt(reader, shop.head, 'let a = 2\n')).close()
    const main = shop.repository.commit('main', { ...shop.bulk, 'a.ts': 'let a = 1\n', b: 'b\n' }, shop.base)
    const moved = await readIt(reader, shop.head, 'let a = 2\n')
    assert.deepEqual([moved.change.base, moved.change.mergeBase], [main, shop.base])

    const tree = shop.repository.git('merge-tree', '--write-tree', main, shop.head)
    const merged = shop.repository.git('commit-tree', '-p', shop.head, '-p', main, '-m', 'x', tree)
    const after = await readIt(reader, merged, 'let a = 2\n')
    assert.equal(after.change.mergeBase, main)
  })
})

describe('a server without', () => {
  const cases: [string, Parameters<typeof serveShop>[1], Record<string, string>][] = [
    ['filters', { filters: false }, {}],
    [
      'filters, by the first protocol',
      { filters: false, firstProtocol: true },
      { allowAnySHA1InWant: 'true' },
    ],
    ['wants by id, but with filters', { firstProtocol: true, filters: false }, { allowFilter: 'true' }],
  ]
  for (const [what, options, config] of cases) {
    test(`${what} is read, with more bytes`, async (t) => {
      const shop = await shopWithChange(t, options)
      for (const [key, value] of Object.entries(config))
        shop.repository.git('config', `uploadpack.${key}`, value)
      shop.repository.git('update-ref', 'refs/pull/1/head', shop.head)
      const directory = temporaryDirectory(t)
      const reader = await githubReader(t, shop.origin, { directory })
      const first = await readIt(reader, shop.head, 'let a = 2\n')
      assert.ok(first.change.fetchedBytes > packedSize(shop.repository) / 2)
      await first.close()

      const head = shop.push('let a = 3\n', shop.head)
      shop.repository.git('update-ref', 'refs/pull/1/head', head)
      const second = await readIt(reader, head, 'let a = 3\n')
      assert.ok(second.change.fetchedBytes < first.change.fetchedBytes / 10)
      assert.equal(reader.found().length, 1)
      await second.close()
      await reader.mirrors.close()

      // What a server cannot do is remembered beyond the process.
      const restarted = await githubReader(t, shop.origin, { directory })
      assert.equal((await readIt(restarted, head, 'let a = 3\n')).change.fetchedBytes, 0)
    })
  }
})

describe('two jobs of one repository at once', () => {
  test('share one mirror, and each reads its own change', async (t) => {
    const shop = await shopWithChange(t)
    const heads = Array.from({ length: 6 }, (_, n) =>
      shop.repository.commit(`topic${n}`, { ...shop.bulk, 'a.ts': `let a = "${n}"\n` }, shop.base),
    )
    const reader = await githubReader(t, shop.origin)
    const opened = await Promise.all(heads.map((head, n) => readIt(reader, head, `let a = "${n}"\n`)))
    assert.equal(reader.found().length, 1)
    const bytes = opened.map(({ change }) => change.fetchedBytes).sort((a, b) => b - a)
    assert.ok((bytes[1] ?? 0) < (bytes[0] ?? 0) / 3, 'one of them fetched what they have in common')
  })

  test('of the same head fetch it once', async (t) => {
    const shop = await shopWithChange(t)
    const reader = await githubReader(t, shop.origin)
    const opened = await Promise.all([1, 2, 3].map(() => readIt(reader, shop.head, 'let a = 2\n')))
    const sum = opened.reduce((bytes, { change }) => bytes + change.fetchedBytes, 0)
    const alone = await readIt(await githubReader(t, shop.origin), shop.head, 'let a = 2\n')
    assert.equal(sum, alone.change.fetchedBytes)
  })

  test('one that is cancelled while it waits, or while it fetches, does not hurt the other', async (t) => {
    let answer = () => {}
    const answered = new Promise<void>((resolve) => {
      answer = resolve
    })
    let seen = () => {}
    const asked = new Promise<void>((resolve) => {
      seen = resolve
    })
    const shop = await shopWithChange(t, {
      intercept: async () => {
        seen()
        await answered
        return false
      },
    })
    const reader = await githubReader(t, shop.origin)
    const [fetching, waiting] = [new AbortController(), new AbortController()]
    const request = { baseBranch: 'main', head: shop.head }
    const first = reader.open(request, fetching.signal)
    await asked
    const second = reader.open(request, waiting.signal)
    const third = readIt(reader, shop.head, 'let a = 2\n')
    waiting.abort(new Error('waiting'))
    await assert.rejects(second, { message: 'waiting' })
    fetching.abort(new Error('fetching'))
    await assert.rejects(first, { message: 'fetching' })
    answer()
    await third
    assert.equal(reader.found().length, 1)
  })
})

describe('room', () => {
  /** As many repositories as there are names, all with the same change. */
  async function several(t: TestContext, names: string[], maxBytes: number) {
    const shop = await serveShop(t)
    const base = shop.repository.commit('main', { 'a.ts': 'let a = 1\n', bulk: noise(20_000) })
    const head = shop.repository.commit('topic', { 'a.ts': 'let a = 2\n', bulk: noise(200_000) }, base)
    for (const name of names) {
      plainGit(shop.repository.path, ['clone', '--quiet', '--bare', '.', `../${name}.git`])
      for (const key of ['allowFilter', 'allowAnySHA1InWant']) {
        plainGit(join(shop.repository.path, '..', `${name}.git`), ['config', `uploadpack.${key}`, 'true'])
      }
    }
    const reader = await githubReader(t, shop.origin, { maxBytes })
    const open = (name: string) => reader.open({ repository: `octo/${name}`, baseBranch: 'main', head })
    const kept = () =>
      reader
        .found()
        .map((path) =>
          JSON.parse(readFileSync(join(path, 'mirror.json'), 'utf8')).url.replace(/^.*\/|\.git$/g, ''),
        )
        .sort()
    return { reader, open, kept }
  }

  test('is made by removing the mirrors that were used longest ago, as a whole', async (t) => {
    const { open, kept } = await several(t, ['one', 'two', 'three'], 300_000)
    for (const name of ['one', 'two']) await (await open(name)).close()
    assert.deepEqual(kept(), ['one', 'two'])
    await (await open('one')).close()
    await (await open('three')).close()
    assert.deepEqual(kept(), ['one', 'three'])
  })

  test('is not made by removing what is being read', async (t) => {
    const { open, kept, reader } = await several(t, ['one', 'two', 'three'], 200_000)
    const one = await open('one')
    const two = await open('two')
    await (await open('three')).close()
    assert.deepEqual(kept(), ['one', 'two'])
    for (const change of [one, two]) {
      assert.equal(await change.readFile('head', 'a.ts'), 'let a = 2\n')
      assert.equal((await change.readFile('base', 'bulk'))?.length, 20_251)
    }
    await one.close()
    assert.deepEqual(kept(), ['two'])
    await two.close()
    assert.equal(reader.found().length, 1)
  })

  test('a mirror that is larger than all the room there is serves its readers, and is removed', async (t) => {
    const { open, reader } = await several(t, ['one'], 1000)
    const change = await open('one')
    assert.equal(await change.readFile('head', 'a.ts'), 'let a = 2\n')
    assert.equal(reader.found().length, 1)
    await change.close()
    assert.deepEqual(reader.found(), [])
  })

  test('a mirror of very many packs is dropped when nobody reads it', async (t) => {
    const shop = await shopWithChange(t)
    const reader = await githubReader(t, shop.origin)
    const open = await readIt(reader, shop.head, 'let a = 2\n')
    const [mirror] = reader.found()
    for (let n = 0; n < 100; n++)
      writeFileSync(join(mirror ?? '', `repository.git/objects/pack/pack-${n}.pack`), 'x')
    const other = await readIt(reader, shop.head, 'let a = 2\n')
    await open.close()
    assert.equal(reader.found().length, 1)
    await other.close()
    assert.deepEqual(reader.found(), [])
    await readIt(reader, shop.head, 'let a = 2\n')
  })

  test('a fetch that is cancelled leaves nothing half received', async (t) => {
    const cancelled = new AbortController()
    let bytes = 0
    const shop = await serveShop(t, {
      onSent: (count) => {
        bytes += count
        if (bytes > 12_000_000) cancelled.abort(new Error('enough'))
      },
    })
    const base = shop.repository.commit('main', { 'a.ts': 'let a = 1\n' })
    const head = shop.repository.commit('topic', { 'a.ts': 'let a = 2\n' }, base)
    const large = shop.repository.commit('large', { 'a.ts': '', large: randomBytes(20_000_000) }, base)
    const reader = await githubReader(t, shop.origin)
    await readIt(reader, head, 'let a = 2\n')
    await assert.rejects(reader.open({ baseBranch: 'main', head: large }, cancelled.signal), {
      message: 'enough',
    })
    const [mirror = ''] = reader.found()
    const names = readdirSync(mirror, { recursive: true }).map(String)
    assert.ok(names.some((name) => name.endsWith('.pack')))
    assert.deepEqual(
      names.filter((name) => /tmp_|\.lock$/.test(name)),
      [],
    )
  })

  test('a fetch that writes more than it may is refused, and leaves nothing behind', async (t) => {
    const shop = await serveShop(t)
    const base = shop.repository.commit('main', { 'a.ts': 'let a = 1\n' })
    const head = shop.repository.commit(
      'topic',
      { 'a.ts': 'let a = 2\n', huge: randomBytes(3_000_000) },
      base,
    )
    const reader = await githubReader(t, shop.origin, { limits: { fileBytes: 1_000_000 } })
    await assert.rejects(reader.open({ baseBranch: 'main', head }), {
      code: 'GIT_TOO_LARGE',
      retryability: 'permanent',
    })
    assert.deepEqual(reader.found(), [])
  })
})

describe('a broken mirror is dropped, and the change read from a new one', () => {
  const damages: [string, (gitDir: string) => void][] = [
    ['packs that were cut short', (gitDir) => eachPack(gitDir, (pack) => truncateSync(pack, 40))],
    [
      'packs with bytes that are not theirs',
      (gitDir) =>
        eachPack(gitDir, (pack) => {
          const bytes = readFileSync(pack)
          bytes.fill(0x55, 12, bytes.length - 20)
          rmSync(pack)
          writeFileSync(pack, bytes)
        }),
    ],
    ['packs that are gone', (gitDir) => eachPack(gitDir, (pack) => rmSync(pack))],
    ['a lock on its history', (gitDir) => writeFileSync(join(gitDir, 'shallow.lock'), '')],
    ['a lock on a ref', (gitDir) => writeFileSync(join(gitDir, 'refs/kodus/head.lock'), '')],
    ['a ref that is none', (gitDir) => writeFileSync(join(gitDir, 'refs/kodus/base'), 'nonsense\n')],
    ['no HEAD', (gitDir) => rmSync(join(gitDir, 'HEAD'))],
    ['a configuration that is none', (gitDir) => writeFileSync(join(gitDir, 'config'), '[[[\n')],
    ['no repository in it', (gitDir) => rmSync(gitDir, { recursive: true })],
    [
      'a history cut off where there is none',
      (gitDir) => writeFileSync(join(gitDir, 'shallow'), 'nonsense\n'),
    ],
  ]
  for (const [what, damage] of damages) {
    test(what, async (t) => {
      const shop = await shopWithChange(t)
      const reader = await githubReader(t, shop.origin)
      await (await readIt(reader, shop.head, 'let a = 2\n')).close()
      const [broken] = reader.found()
      damage(join(broken ?? '', 'repository.git'))
      const head = shop.push('let a = 3\n', shop.head)
      await (await readIt(reader, head, 'let a = 3\n')).close()
      await readIt(reader, head, 'let a = 3\n')
      assert.equal(reader.found().length, 1)
    })
  }

  test('while a change is being read: that fails as transient, and the next attempt has a new one', async (t) => {
    const shop = await shopWithChange(t)
    const reader = await githubReader(t, shop.origin)
    await (await readIt(reader, shop.head, 'let a = 2\n')).close()
    const open = await readIt(reader, shop.head, 'let a = 2\n')
    eachPack(join(reader.found()[0] ?? '', 'repository.git'), (pack) => truncateSync(pack, 40))
    await assert.rejects(open.readFile('head', 'a.ts'), {
      code: 'GIT_OBJECT_UNREADABLE',
      retryability: 'transient',
    })
    await readIt(reader, shop.head, 'let a = 2\n')
  })

  test('it is not fetched anew again and again: a server that is broken itself is an error', async (t) => {
    const shop = await shopWithChange(t)
    const reader = await githubReader(t, shop.origin)
    await (await readIt(reader, shop.head, 'let a = 2\n')).close()
    shop.asked.length = 0
    const objects = join(shop.repository.path, 'objects')
    for (const name of readdirSync(objects)) rmSync(join(objects, name), { recursive: true })
    await assert.rejects(reader.open({ baseBranch: 'main', head: shop.head }))
    assert.ok(shop.asked.length <= 8, `${shop.asked.length} requests`)
  })

  test('a worker killed in the middle of a fetch leaves nothing that the next one stumbles over', async (t) => {
    const directory = temporaryDirectory(t)
    let killed: (() => void) | undefined
    const shop = await shopWithChange(t, {
      intercept: async ({ method }) => {
        if (method === 'POST') killed?.()
        return false
      },
    })
    const script = `
      const { openMirrorCache } = await import(${JSON.stringify(MODULE('lib/git/mirror-cache'))})
      const { createGitHubReader } = await import(${JSON.stringify(MODULE('forges/github/read-change'))})
      const { readGitSettings } = await import(${JSON.stringify(MODULE('lib/git/config'))})
      const { silentLog } = await import(${JSON.stringify(MODULE('lib/log'))})
      const settings = readGitSettings()
      const mirrors = await openMirrorCache({ directory: ${JSON.stringify(directory)}, maxBytes: 1e9, settings, log: silentLog })
      const reader = createGitHubReader({
        client: { gitToken: async () => 'kodus-test-token-77aa01' },
        config: { gitOrigin: ${JSON.stringify(shop.origin)}, repositories: [] },
        mirrors, settings,
      })
      process.on('message', async (head) => {
        const request = { repository: 'octo/shop', pullRequest: '1', base: '', baseBranch: 'main', head, title: '', description: '' }
        await (await reader.open(request, new AbortController().signal)).close()
        process.send('read')
      })
      process.send('ready')
    `
    const worker = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    t.after(() => worker.kill('SIGKILL'))
    await once(worker, 'message')
    worker.send(shop.head)
    await once(worker, 'message')
    const head = shop.push(`let a = "${noise(1000)}"\n`, shop.head)
    const exited = once(worker, 'exit')
    killed = () => worker.kill('SIGKILL')
    worker.send(head)
    await exited
    killed = undefined

    const [mirror] = readdirSync(join(directory, '0')).filter((name) => name.includes('-'))
    const gitDir = join(directory, '0', mirror ?? '', 'repository.git')
    // What such a git leaves, whenever it was that it was killed.
    writeFileSync(join(gitDir, 'shallow.lock'), '')
    writeFileSync(join(gitDir, 'objects/pack/tmp_pack_Ab12Cd'), 'half')
    const reader = await githubReader(t, shop.origin, { directory })
    assert.deepEqual(readdirSync(directory), ['0'], 'its directory is taken over at once')
    const open = await reader.open({ baseBranch: 'main', head })
    assert.equal(open.change.head, head)
    assert.ok(existsSync(gitDir), 'the mirror itself was fine')
    assert.ok(!existsSync(join(gitDir, 'objects/pack/tmp_pack_Ab12Cd')))
  })
})

describe('processes on one machine', () => {
  test('each have a directory of their own, the lowest that is free', async (t) => {
    const root = temporaryDirectory(t)
    const slots = await Promise.all([claimSlot(root), claimSlot(root), claimSlot(root)])
    assert.deepEqual(slots.map(({ directory }) => directory).sort(), [
      join(root, '0'),
      join(root, '1'),
      join(root, '2'),
    ])
    const [, middle] = slots.sort((a, b) => a.directory.localeCompare(b.directory))
    await middle?.release()
    const next = await claimSlot(root)
    assert.equal(next.directory, middle?.directory)
    for (const slot of [...slots, next]) await slot.release()
  })

  test('what another account has made among temporary files is not used', {
    skip: process.getuid?.() !== 0 && 'only root can give a directory away',
  }, async (t) => {
    const shared = temporaryDirectory(t)
    chmodSync(shared, 0o1777)
    const root = join(shared, 'cache')
    mkdirSync(root)
    chownSync(root, 12_345, 12_345)
    await assert.rejects(claimSlot(root), { code: 'GIT_CACHE_UNUSABLE', message: /another account/ })
    chmodSync(shared, 0o755)
    await (await claimSlot(root)).release()
  })

  test('an owner of another machine keeps it as long as it gives a sign of life, and no longer', async (t) => {
    const root = temporaryDirectory(t)
    mkdirSync(join(root, '0'))
    const owner = join(root, '0', 'owner')
    writeFileSync(owner, JSON.stringify({ token: 'x', machine: 'elsewhere', pid: 1 }))
    const beside = await claimSlot(root)
    assert.equal(beside.directory, join(root, '1'))
    const longAgo = new Date(Date.now() - 120_000)
    utimesSync(owner, longAgo, longAgo)
    const taken = await claimSlot(root)
    assert.equal(taken.directory, join(root, '0'))
    assert.deepEqual(readdirSync(taken.directory), ['owner'])
    await Promise.all([beside.release(), taken.release()])
  })

  test('many that find it left behind at once: one of them gets it', async (t) => {
    const root = temporaryDirectory(t)
    for (let round = 0; round < 20; round++) {
      mkdirSync(join(root, `${round}`, '0'), { recursive: true })
      const owner = join(root, `${round}`, '0', 'owner')
      writeFileSync(owner, '{')
      utimesSync(owner, 0, 0)
      const slots = await Promise.all(Array.from({ length: 5 }, () => claimSlot(join(root, `${round}`))))
      const ours = await Promise.all(slots.map((slot) => slot.stillOurs()))
      const directories = slots.filter((_, n) => ours[n]).map(({ directory }) => directory)
      assert.equal(new Set(directories).size, directories.length)
      for (const slot of slots) await slot.release()
    }
  })

  test('one whose directory was taken over, or removed, goes on in another', async (t) => {
    const shop = await shopWithChange(t)
    const reader = await githubReader(t, shop.origin, { maxBytes: 1 })
    const open = await readIt(reader, shop.head, 'let a = 2\n')
    writeFileSync(
      join(reader.directory, '0', 'owner'),
      JSON.stringify({ token: 'x', machine: 'elsewhere', pid: 1 }),
    )
    const [theirs] = reader.found()
    await readIt(reader, shop.head, 'let a = 2\n')
    await open.close()
    assert.ok(existsSync(theirs ?? ''), 'what is not ours any more is not removed')
    rmSync(reader.directory, { recursive: true })
    await readIt(reader, shop.head, 'let a = 2\n')
  })

  test('what nobody has used for a day is removed; what somebody holds is not', async (t) => {
    const root = temporaryDirectory(t)
    const held = [await claimSlot(root), await claimSlot(root)]
    const old = new Date(Date.now() - 25 * 60 * 60_000)
    for (const number of [1, 2, 3]) {
      mkdirSync(join(root, `${number}`, 'mirror-x'), { recursive: true })
      utimesSync(join(root, `${number}`), old, old)
    }
    mkdirSync(join(root, 'somebody-elses'))
    utimesSync(join(root, 'somebody-elses'), old, old)
    utimesSync(join(root, '3'), new Date(), new Date())
    await held[0]?.release()
    const slot = await claimSlot(root)
    assert.deepEqual(readdirSync(root).sort(), ['0', '1', '3', 'somebody-elses'])
    await Promise.all([slot.release(), held[1]?.release()])
  })

  test('a directory that cannot be used is an error at start', async (t) => {
    const file = join(temporaryDirectory(t), 'file')
    writeFileSync(file, '')
    const options = { maxBytes: 1, settings: readGitSettings(), log: silentLog }
    await assert.rejects(openMirrorCache({ directory: file, ...options }), { code: 'GIT_CACHE_UNUSABLE' })
    assert.equal(DEFAULT_LIMITS, options.settings.limits)
  })
})

const MODULE = (name: string) => new URL(`../../src/${name}.ts`, import.meta.url).href

function eachPack(gitDir: string, change: (pack: string) => void): void {
  const packs = packsOf(join(gitDir, '..'))
  assert.ok(packs.length > 0)
  for (const pack of packs) change(pack)
}

/** Bytes of all of a repository's packs, once packed well. */
function packedSize(repository: TestRepository): number {
  repository.git('repack', '-a', '-d', '-q')
  const directory = join(repository.path, 'objects', 'pack')
  return readdirSync(directory)
    .filter((name) => name.endsWith('.pack'))
    .reduce((sum, name) => sum + statSync(join(directory, name)).size, 0)
}
