import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chownSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { DEFAULT_LIMITS } from '../../src/lib/git/settings.ts'
import {
  createCanary,
  createRepository,
  plainGit,
  readerFor,
  type TestRepository,
  temporaryDirectory,
  tryPlainGit,
} from './fixture.ts'

/** A repository below a root, with a change from `main` to `topic`, and a reader that may read it. */
function hostileRepository(t: TestContext, limits = {}) {
  const root = temporaryDirectory(t)
  const repository = createRepository(join(root, 'repository'))
  const base = repository.commit('main', { a: '1\n', '.gitattributes': '* filter=evil diff=evil\n' })
  const head = repository.commit('topic', { a: '2\n', '.gitattributes': '* filter=evil diff=evil\n' }, base)
  repository.git('reset', '--quiet', '--hard', 'main')
  const reader = readerFor(t, { roots: [root], limits })
  return { root, repository, base, head, reader, open: () => reader.open(repository.path, 'main', 'topic') }
}

/** Everything a review does with an open change. */
async function readAll({ open }: Pick<ReturnType<typeof hostileRepository>, 'open'>) {
  const change = await open()
  assert.deepEqual(
    change.change.files.map(({ path }) => path),
    ['a'],
  )
  assert.equal(await change.readFile('head', 'a'), '2\n')
  assert.equal(await change.readFile('base', 'a'), '1\n')
  return change
}

function writeHook(repository: TestRepository, name: string, command: string): void {
  const hooks = join(repository.path, '.git', 'hooks')
  mkdirSync(hooks, { recursive: true })
  writeFileSync(join(hooks, name), `#!/bin/sh\n${command}\n`, { mode: 0o755 })
}

describe('no program that a repository names is run', () => {
  test('hooks', async (t) => {
    const hostile = hostileRepository(t)
    const canary = createCanary(t)
    for (const hook of ['post-checkout', 'reference-transaction', 'post-index-change', 'pre-auto-gc']) {
      writeHook(hostile.repository, hook, canary.command)
    }
    canary.firesWith(() => tryPlainGit(hostile.repository.path, ['checkout', '--quiet', 'topic']))
    await readAll(hostile)
    canary.assertQuiet()
  })

  test('hooks at another place, by core.hooksPath', async (t) => {
    const hostile = hostileRepository(t)
    const canary = createCanary(t)
    writeHook(hostile.repository, 'post-checkout', canary.command)
    renameSync(join(hostile.repository.path, '.git', 'hooks'), join(hostile.root, 'elsewhere'))
    hostile.repository.git('config', 'core.hooksPath', join(hostile.root, 'elsewhere'))
    canary.firesWith(() => tryPlainGit(hostile.repository.path, ['checkout', '--quiet', 'topic']))
    await readAll(hostile)
    canary.assertQuiet()
  })

  test('a file system monitor', async (t) => {
    const hostile = hostileRepository(t)
    const canary = createCanary(t)
    hostile.repository.git('config', 'core.fsmonitor', `${canary.command}; false`)
    canary.firesWith(() => tryPlainGit(hostile.repository.path, ['status']))
    await readAll(hostile)
    canary.assertQuiet()
  })

  test('clean and smudge filters', async (t) => {
    const hostile = hostileRepository(t)
    const canary = createCanary(t)
    for (const filter of ['clean', 'smudge', 'process']) {
      hostile.repository.git('config', `filter.evil.${filter}`, `${canary.command}; cat`)
    }
    canary.firesWith(() => tryPlainGit(hostile.repository.path, ['checkout', '--force', '--quiet', 'topic']))
    await readAll(hostile)
    canary.assertQuiet()
  })

  test('text conversion, the diff drivers of attributes, and an external diff', async (t) => {
    const hostile = hostileRepository(t)
    const canary = createCanary(t)
    const diff = () => tryPlainGit(hostile.repository.path, ['diff', 'main', 'topic'])
    for (const key of ['diff.evil.textconv', 'diff.evil.command', 'diff.external']) {
      hostile.repository.git('config', key, canary.command)
      canary.firesWith(diff)
      await readAll(hostile)
      canary.assertQuiet()
      hostile.repository.git('config', '--unset', key)
    }
  })

  test('a promisor remote, from which git fetches missing objects by itself', async (t) => {
    const hostile = hostileRepository(t)
    const canary = createCanary(t)
    for (const [key, value] of [
      ['core.repositoryFormatVersion', '1'],
      ['extensions.partialClone', 'evil'],
      ['remote.evil.url', `ext::sh -c ${canary.command.replaceAll(' ', '% ')}`],
      ['remote.evil.promisor', 'true'],
      ['protocol.allow', 'always'],
      ['protocol.ext.allow', 'always'],
    ] as const) {
      hostile.repository.git('config', key, value)
    }
    const missing = 'd'.repeat(40)
    canary.firesWith(() => tryPlainGit(hostile.repository.path, ['rev-parse', `${missing}^{commit}`]))
    await assert.rejects(hostile.reader.open(hostile.repository.path, 'main', missing), (error: Error) => {
      assert.match(
        String(Reflect.get(error, 'code')),
        /^GIT_(REF_NOT_FOUND|OBJECT_UNREADABLE|PROTOCOL_REFUSED)$/,
      )
      return true
    })
    await readAll(hostile)
    canary.assertQuiet()
  })

  test('a promisor remote with an upload-pack of its own', async (t) => {
    const hostile = hostileRepository(t)
    const canary = createCanary(t)
    for (const [key, value] of [
      ['core.repositoryFormatVersion', '1'],
      ['extensions.partialClone', 'evil'],
      ['remote.evil.url', hostile.repository.path],
      ['remote.evil.uploadPack', `${canary.command};`],
      ['remote.evil.promisor', 'true'],
    ] as const) {
      hostile.repository.git('config', key, value)
    }
    const missing = 'd'.repeat(40)
    canary.firesWith(() => tryPlainGit(hostile.repository.path, ['rev-parse', `${missing}^{commit}`]))
    await assert.rejects(hostile.reader.open(hostile.repository.path, 'main', missing), {
      retryability: 'permanent',
    })
    canary.assertQuiet()
  })

  test("the process's own git environment and the account's git configuration", async (t) => {
    const hostile = hostileRepository(t)
    const canary = createCanary(t)
    const home = temporaryDirectory(t)
    writeFileSync(join(home, '.gitconfig'), `[trace2]\n\teventTarget = ${canary.path}\n`)
    const planted = {
      HOME: home,
      GIT_TRACE: canary.path,
      GIT_TRACE2: canary.path,
      GIT_DIR: '/nonexistent',
      GIT_OBJECT_DIRECTORY: '/nonexistent',
      GIT_EXTERNAL_DIFF: canary.command,
      GIT_CONFIG_PARAMETERS: "'diff.external=false'",
    }
    const before = Object.keys(planted).map((name) => [name, process.env[name]] as const)
    t.after(() => {
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name]
        else process.env[name] = value
      }
    })
    Object.assign(process.env, planted)
    canary.firesWith(() => execFileSync('git', ['version']))
    await readAll(hostile)
    canary.assertQuiet()
  })

  test('a branch whose name is a shell command', async (t) => {
    const hostile = hostileRepository(t)
    const canary = createCanary(t)
    const names = [
      `$(touch\${IFS}${canary.path})`,
      `;touch\${IFS}${canary.path};`,
      `\`touch\${IFS}${canary.path}\``,
      `x'&&touch\${IFS}${canary.path}&&'`,
      'a|b>c<d&e"f!g#h',
    ]
    canary.firesWith(() => execFileSync('sh', ['-c', `true ${names[0]}`]))
    for (const name of names) {
      hostile.repository.git('update-ref', `refs/heads/${name}`, hostile.head)
      const { change } = await hostile.reader.open(hostile.repository.path, 'main', name)
      assert.equal(change.head, hostile.head)
    }
    canary.assertQuiet()
  })

  test('a branch whose name is an option', async (t) => {
    const hostile = hostileRepository(t)
    const canary = createCanary(t)
    const option = `--upload-pack=${canary.command};`
    canary.firesWith(() => tryPlainGit(hostile.repository.path, ['fetch', '.', option]))
    hostile.repository.git('update-ref', 'refs/heads/--all', hostile.head)
    for (const name of [option, '--all', '-n', '--output=/tmp/x']) {
      await assert.rejects(hostile.reader.open(hostile.repository.path, 'main', name), {
        code: 'GIT_REF_REFUSED',
      })
    }
    // By its full name it is a ref like any other.
    const { change } = await hostile.reader.open(hostile.repository.path, 'main', 'refs/heads/--all')
    assert.equal(change.head, hostile.head)
    canary.assertQuiet()
  })

  test('a remote helper named in the address', async (t) => {
    const hostile = hostileRepository(t)
    const canary = createCanary(t)
    const address = `ext::sh -c ${canary.command.replaceAll(' ', '% ')}`
    canary.firesWith(() =>
      tryPlainGit(hostile.repository.path, ['-c', 'protocol.ext.allow=always', 'ls-remote', address]),
    )
    await assert.rejects(hostile.reader.open(address, 'main', 'topic'), { code: 'GIT_URL_REFUSED' })
    canary.assertQuiet()
  })
})

describe('nothing outside the roots is read', () => {
  /** A private repository beside the root, and a reader of the root alone. */
  function besideRoot(t: TestContext) {
    const directory = temporaryDirectory(t)
    const root = join(directory, 'root')
    mkdirSync(root)
    const secret = createRepository(join(directory, 'root-secret'))
    const base = secret.commit('main', { key: '1\n' })
    const head = secret.commit('topic', { key: '2\n' }, base)
    const reader = readerFor(t, { roots: [root] })
    const refused = async (path: string) =>
      await assert.rejects(reader.open(path, base, head), { code: 'GIT_PATH_REFUSED' })
    return { root, secret, base, head, refused, reader }
  }

  test('a path outside, a path that climbs out, a neighbour whose name begins like the root', async (t) => {
    const { root, secret, refused } = besideRoot(t)
    await refused(secret.path)
    await refused(`${root}/../root-secret`)
    await refused(`file://${secret.path}`)
    await refused(`file://${root}/%2e%2e/root-secret`)
    await refused(join(root, 'missing'))
  })

  test('a symbolic link that leads out', async (t) => {
    const { root, secret, refused } = besideRoot(t)
    symlinkSync(secret.path, join(root, 'link'))
    await refused(join(root, 'link'))
  })

  test('a .git that leads out, as a link or as a file', async (t) => {
    const { root, secret, refused } = besideRoot(t)
    for (const name of ['link', 'file']) mkdirSync(join(root, name))
    symlinkSync(join(secret.path, '.git'), join(root, 'link', '.git'))
    writeFileSync(join(root, 'file', '.git'), `gitdir: ${secret.path}/.git\n`)
    await refused(join(root, 'link'))
    await refused(join(root, 'file'))
  })

  test('a commondir that leads out', async (t) => {
    const { root, secret, refused } = besideRoot(t)
    const gitDir = join(root, 'worktree', '.git')
    mkdirSync(gitDir, { recursive: true })
    writeFileSync(join(gitDir, 'HEAD'), 'ref: refs/heads/main\n')
    writeFileSync(join(gitDir, 'commondir'), `${secret.path}/.git\n`)
    await refused(dirname(gitDir))
  })

  test('a git directory outside whose objects lead back inside', async (t) => {
    const { root, secret, refused } = besideRoot(t)
    const own = createRepository(join(root, 'own'))
    const outside = join(dirname(secret.path), 'outside')
    mkdirSync(outside)
    writeFileSync(join(outside, 'HEAD'), 'ref: refs/heads/main\n')

    mkdirSync(join(root, 'by-gitdir'))
    writeFileSync(join(root, 'by-gitdir', '.git'), `gitdir: ${outside}\n`)
    writeFileSync(join(outside, 'commondir'), `${own.path}/.git\n`)
    await refused(join(root, 'by-gitdir'))

    rmSync(join(outside, 'commondir'))
    symlinkSync(join(own.path, '.git/objects'), join(outside, 'objects'))
    mkdirSync(join(root, 'by-commondir', '.git'), { recursive: true })
    writeFileSync(join(root, 'by-commondir', '.git', 'HEAD'), 'ref: refs/heads/main\n')
    writeFileSync(join(root, 'by-commondir', '.git', 'commondir'), `${outside}\n`)
    await refused(join(root, 'by-commondir'))
  })

  test('alternates that lead out, at once or through another repository', async (t) => {
    const { root, secret, refused } = besideRoot(t)
    const first = createRepository(join(root, 'first'))
    const second = createRepository(join(root, 'second'))
    const alternates = (repository: TestRepository) => join(repository.path, '.git/objects/info/alternates')
    writeFileSync(alternates(second), `${secret.path}/.git/objects\n`)
    writeFileSync(alternates(first), `# ours\n\n${second.path}/.git/objects\n`)
    await refused(second.path)
    await refused(first.path)
    writeFileSync(alternates(second), `"${secret.path}/.git/objects"\n`)
    await refused(first.path)
  })

  test('a path with a line break, which git would take for two', async (t) => {
    const { root, secret, reader } = besideRoot(t)
    const own = createRepository(join(root, `x\n${secret.path.slice(1)}`, 'own'))
    own.commit('main', { a: '1\n' })
    const real = join(root, `x\n${secret.path}/.git`)
    mkdirSync(dirname(real), { recursive: true })
    renameSync(join(own.path, '.git'), real)
    symlinkSync(dirname(real), join(root, 'link'))
    const opening = reader.open(join(root, 'link'), 'main', 'main')
    await assert.rejects(opening, { code: 'GIT_PATH_REFUSED', message: /line break/ })
    await assert.rejects(reader.open(dirname(real), 'main', 'main'), { code: 'GIT_URL_REFUSED' })
    const local = readerFor(t, { local: dirname(real) })
    await assert.rejects(local.open('', 'main', 'main'), { code: 'GIT_PATH_REFUSED' })
  })

  test('objects that are links', async (t) => {
    const { root, secret, base, refused } = besideRoot(t)
    const whole = createRepository(join(root, 'whole'))
    renameSync(join(whole.path, '.git/objects'), join(whole.path, '.git/own-objects'))
    symlinkSync(join(secret.path, '.git/objects'), join(whole.path, '.git/objects'))
    await refused(whole.path)

    const one = createRepository(join(root, 'one'))
    const object = `${base.slice(0, 2)}/${base.slice(2)}`
    mkdirSync(join(one.path, '.git/objects', base.slice(0, 2)))
    symlinkSync(join(secret.path, '.git/objects', object), join(one.path, '.git/objects', object))
    await refused(one.path)
  })

  test('the repository that a directory below the root happens to lie in', async (t) => {
    const outer = createRepository(join(temporaryDirectory(t), 'outer'))
    outer.commit('main', { a: '1\n' })
    const root = join(outer.path, 'root')
    mkdirSync(root)
    await assert.rejects(readerFor(t, { roots: [root] }).open(root, 'main', 'main'), {
      code: 'GIT_NOT_FOUND',
    })
  })

  test('inside the roots, alternates, linked worktrees, bare repositories and links work', async (t) => {
    const hostile = hostileRepository(t)
    const { root, repository, reader } = hostile
    const at = (name: string) => join(root, name)
    repository.git('worktree', 'add', '--quiet', at('worktree'), 'topic')
    repository.git('clone', '--quiet', '--shared', '--bare', repository.path, at('shared.git'))
    symlinkSync(repository.path, at('link'))
    for (const name of ['worktree', 'shared.git', 'link']) {
      await readAll({ open: () => reader.open(at(name), 'main', 'topic') })
      await readAll({ open: () => reader.open(`file://${at(name)}`, 'main', 'topic') })
    }
  })

  test('without roots, no path is read at all', async (t) => {
    const { repository } = hostileRepository(t)
    const reader = readerFor(t)
    await assert.rejects(reader.open(repository.path, 'main', 'topic'), { code: 'GIT_PATH_REFUSED' })
  })
})

describe('objects are data', () => {
  test('a replacement for a commit is not believed, nor are its parents', async (t) => {
    const hostile = hostileRepository(t)
    const elsewhere = hostile.repository.commit('elsewhere', { a: '1\n' })
    const innocent = hostile.repository.commit('innocent', { a: '1\n', harmless: 'x\n' }, elsewhere)
    hostile.repository.git('replace', hostile.head, innocent)
    assert.match(hostile.repository.git('show', '--stat', hostile.head), /harmless/)
    await readAll(hostile)
    const local = readerFor(t, { local: hostile.repository.path })
    assert.equal((await local.open('', `${hostile.head}~1`, hostile.head)).change.base, hostile.base)
  })

  test('grafted parents are not believed', async (t) => {
    const hostile = hostileRepository(t)
    mkdirSync(join(hostile.repository.path, '.git/info'), { recursive: true })
    writeFileSync(join(hostile.repository.path, '.git/info/grafts'), `${hostile.head}\n`)
    assert.equal(hostile.repository.git('rev-list', '--count', hostile.head), '1')
    const { change } = await readAll(hostile)
    assert.equal(change.mergeBase, hostile.base)
    const local = readerFor(t, { local: hostile.repository.path })
    assert.equal((await local.open('', `${hostile.head}~1`, hostile.head)).change.base, hostile.base)
  })

  test('a branch named like a commit does not stand in for it', async (t) => {
    const hostile = hostileRepository(t)
    const other = hostile.repository.commit('other', { a: '3\n' }, hostile.base)
    hostile.repository.git('update-ref', `refs/heads/${hostile.head}`, other)
    const { change } = await hostile.reader.open(hostile.repository.path, 'main', hostile.head)
    assert.equal(change.head, hostile.head)
  })

  test('attributes cannot hide a change', async (t) => {
    const root = temporaryDirectory(t)
    const repository = createRepository(join(root, 'repository'))
    const attributes = '* -diff -text linguist-generated export-ignore\n'
    const base = repository.commit('main', { a: '1\n', '.gitattributes': attributes })
    repository.commit('topic', { a: '2\n', '.gitattributes': attributes }, base)
    writeFileSync(join(repository.path, '.git/info/attributes'), attributes)
    repository.git('reset', '--quiet', '--hard', 'main')
    assert.match(repository.git('diff', 'main', 'topic'), /Binary files/)
    const { change } = await readerFor(t, { roots: [root] }).open(repository.path, 'main', 'topic')
    assert.equal(change.files[0]?.kind, 'text')
    assert.equal(change.files[0]?.hunks.length, 1)
  })

  for (const path of ['.git/hooks/post-checkout', '../escape', '.GIT/config', './x']) {
    test(`a tree with the path ${path} is refused`, async (t) => {
      const hostile = hostileRepository(t)
      const { repository } = hostile
      let id = repository.blob('#!/bin/sh\n')
      let mode = '100755'
      for (const name of path.split('/').reverse()) {
        id = repository.rawTree([{ mode, name, id }])
        mode = '40000'
      }
      const head = repository.git('commit-tree', '-p', hostile.base, '-m', 'x', id)
      await assert.rejects(hostile.reader.open(repository.path, 'main', head), { code: 'GIT_TREE_REFUSED' })
      const open = await hostile.reader.open(repository.path, head, head)
      assert.equal(await open.readFile('head', path), undefined)
      assert.equal(await open.readFile('head', '../../../../etc/passwd'), undefined)
    })
  }

  test('a symbolic link is not followed', async (t) => {
    const hostile = hostileRepository(t)
    const link = (content: string) => ({ mode: '120000', content }) as const
    const files = { a: '2\n', passwd: link('/etc/passwd'), up: link('../../secret'), dir: link('/etc') }
    const head = hostile.repository.commit('links', files, hostile.base)
    const open = await hostile.reader.open(hostile.repository.path, 'main', head)
    for (const path of ['passwd', 'up', 'dir', 'dir/passwd']) {
      assert.equal(await open.readFile('head', path), undefined)
    }
    assert.equal(open.change.files.filter(({ kind }) => kind === 'symlink').length, 3)
  })

  test('a submodule is named and not fetched, whatever its URL', async (t) => {
    const hostile = hostileRepository(t)
    const canary = createCanary(t)
    const url = `ext::sh -c ${canary.command.replaceAll(' ', '% ')}`
    const gitmodules = `[submodule "m"]\n\tpath = m\n\turl = "${url}"\n\tupdate = "!${canary.command}"\n`
    const files = { a: '2\n', '.gitmodules': gitmodules, m: { submodule: hostile.base } }
    hostile.repository.commit('modules', files, hostile.base)
    for (const [key, value] of [
      ['submodule.recurse', 'true'],
      ['fetch.recurseSubmodules', 'true'],
      ['protocol.ext.allow', 'always'],
      ['diff.submodule', 'diff'],
    ] as const) {
      hostile.repository.git('config', key, value)
    }
    canary.firesWith(() =>
      tryPlainGit(hostile.repository.path, ['-c', 'protocol.ext.allow=always', 'ls-remote', url]),
    )
    const open = await hostile.reader.open(hostile.repository.path, 'main', 'modules')
    assert.equal(open.change.files.find(({ path }) => path === 'm')?.kind, 'submodule')
    assert.equal(await open.readFile('head', 'm'), undefined)
    canary.assertQuiet()
  })

  test('an LFS pointer stays a pointer', async (t) => {
    const hostile = hostileRepository(t)
    const canary = createCanary(t)
    for (const filter of ['smudge', 'process']) {
      hostile.repository.git('config', `filter.lfs.${filter}`, `${canary.command}; cat`)
    }
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 12345\n`
    const files = { a: pointer, '.gitattributes': '* filter=lfs diff=lfs merge=lfs -text\n' }
    const head = hostile.repository.commit('lfs', files, hostile.base)
    canary.firesWith(() => tryPlainGit(hostile.repository.path, ['checkout', '--force', '--quiet', 'lfs']))
    const open = await hostile.reader.open(hostile.repository.path, 'main', head)
    assert.equal(await open.readFile('head', 'a'), pointer)
    canary.assertQuiet()
  })

  test('a repository that belongs to another account is read without trusting it', {
    skip: process.getuid?.() !== 0,
  }, async (t) => {
    const hostile = hostileRepository(t)
    for (const directory of [hostile.repository.path, join(hostile.repository.path, '.git')]) {
      chownSync(directory, 12345, 12345)
    }
    assert.throws(() => hostile.repository.git('status'), /dubious ownership/)
    await readAll(hostile)
  })
})

describe('a repository cannot take more than its limits', () => {
  test('a few hundred kilobytes that unpack to 64 MiB are binary, also when they were moved and edited', async (t) => {
    const hostile = hostileRepository(t, { allocationBytes: 16 * 1024 ** 2 })
    const bomb = (end: string) => Buffer.concat([Buffer.alloc(64 * 1024 ** 2, 'a\n'), Buffer.from(end)])
    const base = hostile.repository.commit('armed', { 'old.txt': bomb('x') }, hostile.base)
    const head = hostile.repository.commit('bomb', { 'new.txt': bomb('y'), 'readme.md': 'hello\n' }, base)
    hostile.repository.git('gc', '--quiet')
    const open = await hostile.reader.open(hostile.repository.path, base, head)
    assert.deepEqual(
      open.change.files.map(({ path, kind, hunks }) => [path, kind, hunks.length]),
      [
        ['new.txt', 'binary', 0],
        ['old.txt', 'binary', 0],
        ['readme.md', 'text', 1],
      ],
    )
    assert.equal(await open.readFile('head', 'new.txt'), undefined)
    assert.equal(await open.readFile('head', 'readme.md'), 'hello\n')
  })

  test('a file of one megabyte is read, one byte more is not', async (t) => {
    const hostile = hostileRepository(t)
    const mebibyte = 'x'.repeat(1024 ** 2 - 1)
    const files = { fits: `${mebibyte}\n`, larger: `${mebibyte}x\n` }
    const head = hostile.repository.commit('large', files, hostile.base)
    const open = await hostile.reader.open(hostile.repository.path, 'main', head)
    const kinds = Object.fromEntries(open.change.files.map(({ path, kind }) => [path, kind]))
    assert.deepEqual([kinds.fits, kinds.larger], ['text', 'binary'])
    assert.equal(await open.readFile('head', 'fits'), files.fits)
    assert.equal(await open.readFile('head', 'larger'), undefined)
  })

  test('a diff larger than the limit is an error of its own', async (t) => {
    const hostile = hostileRepository(t, { outputBytes: 100_000 })
    const head = hostile.repository.commit('large', { a: 'line\n'.repeat(50_000) }, hostile.base)
    await assert.rejects(hostile.reader.open(hostile.repository.path, 'main', head), {
      code: 'GIT_TOO_LARGE',
      retryability: 'permanent',
    })
  })

  test('a configuration that never ends does not hold the worker', async (t) => {
    const hostile = hostileRepository(t, { localMs: 300 })
    const pipe = join(hostile.root, 'pipe')
    execFileSync('mkfifo', [pipe])
    hostile.repository.git('config', 'include.path', pipe)
    await assert.rejects(hostile.open(), { code: 'GIT_TIMEOUT', retryability: 'permanent' })
  })

  test('a pipe in the place of .git or of its pointers does not hold the worker', async (t) => {
    const root = temporaryDirectory(t)
    mkdirSync(join(root, 'pipe'))
    execFileSync('mkfifo', [join(root, 'pipe', '.git')])
    const reader = readerFor(t, { roots: [root] })
    await assert.rejects(reader.open(join(root, 'pipe'), 'main', 'topic'), { code: 'GIT_NOT_FOUND' })
  })

  test('an aborted signal ends it with the reason given', async (t) => {
    const hostile = hostileRepository(t)
    const pipe = join(hostile.root, 'pipe')
    execFileSync('mkfifo', [pipe])
    hostile.repository.git('config', 'include.path', pipe)
    const cancelled = new AbortController()
    const reason = new Error('cancelled')
    const opening = hostile.reader.open(hostile.repository.path, 'main', 'topic', cancelled.signal)
    setImmediate(() => cancelled.abort(reason))
    await assert.rejects(opening, reason)
  })
})

describe('a missing or broken repository says so', () => {
  test('a ref that is not there', async (t) => {
    const hostile = hostileRepository(t)
    for (const ref of ['nowhere', 'e'.repeat(40), 'HEAD/x']) {
      await assert.rejects(hostile.reader.open(hostile.repository.path, 'main', ref), {
        code: 'GIT_REF_NOT_FOUND',
      })
    }
  })

  test('a lost object', async (t) => {
    const hostile = hostileRepository(t)
    const head = hostile.repository.git(
      'commit-tree',
      '-p',
      hostile.base,
      '-m',
      'x',
      hostile.repository.rawTree([{ mode: '100644', name: 'a', id: 'f'.repeat(40) }]),
    )
    await assert.rejects(hostile.reader.open(hostile.repository.path, 'main', head), {
      code: 'GIT_OBJECT_UNREADABLE',
    })
  })

  test('a machine without git', async (t) => {
    const { repository, root } = hostileRepository(t)
    const settings = {
      searchPath: root,
      proxies: {},
      limits: DEFAULT_LIMITS,
    }
    const reader = readerFor(t, { roots: [root], settings })
    await assert.rejects(reader.open(repository.path, 'main', 'topic'), { code: 'GIT_MISSING' })
  })

  test('a git that is too old', async (t) => {
    const { repository, root } = hostileRepository(t)
    const bin = temporaryDirectory(t)
    writeFileSync(join(bin, 'git'), '#!/bin/sh\necho git version 2.29.3\n', { mode: 0o755 })
    const settings = {
      searchPath: bin,
      proxies: {},
      limits: DEFAULT_LIMITS,
    }
    const reader = readerFor(t, { roots: [root], settings })
    await assert.rejects(reader.open(repository.path, 'main', 'topic'), { code: 'GIT_TOO_OLD' })
  })

  test('a git that is killed, by the kernel for its memory say, is tried again', async (t) => {
    const { repository, root } = hostileRepository(t)
    const bin = temporaryDirectory(t)
    const script = '#!/bin/sh\ncase "$*" in *version) echo git version 2.39.5;; *) kill -9 $$;; esac\n'
    writeFileSync(join(bin, 'git'), script, { mode: 0o755 })
    const settings = { searchPath: bin, proxies: {}, limits: DEFAULT_LIMITS }
    const reader = readerFor(t, { roots: [root], settings })
    await assert.rejects(reader.open(repository.path, 'main', 'topic'), {
      code: 'GIT_KILLED',
      retryability: 'transient',
    })
  })
})

describe('the repository a person stands in', () => {
  test('is read in place: from a subdirectory or linked worktree, without copying or changing it', async (t) => {
    const hostile = hostileRepository(t)
    const { repository, root, base, head } = hostile
    const subdirectory = join(repository.path, 'deep', 'er')
    mkdirSync(subdirectory, { recursive: true })
    repository.git('worktree', 'add', '--quiet', join(root, 'worktree'), 'topic')
    const before = snapshot(repository.path)
    for (const [local, headName] of [
      [subdirectory, 'topic'],
      [join(root, 'worktree'), 'HEAD'],
    ] as const) {
      const reader = readerFor(t, { local })
      const { change } = await readAll({ open: () => reader.open('', `${headName}~1`, headName) })
      assert.deepEqual([change.base, change.head], [base, head])
      const objects = readdirSync(reader.scratchRoot, { recursive: true, withFileTypes: true }).filter(
        (entry) => entry.isFile() && /objects\/(?!info)/.test(entry.parentPath),
      )
      assert.equal(objects.length, 2, 'the two trees made for the diff, and nothing copied')
    }
    assert.deepEqual(snapshot(repository.path), before)
  })

  test('may be a shallow clone', async (t) => {
    const hostile = hostileRepository(t)
    const clone = join(hostile.root, 'clone')
    const head = hostile.repository.commit('topic', { a: '3\n' }, hostile.head)
    plainGit(hostile.root, [
      'clone',
      '--quiet',
      '--depth=2',
      '--branch=topic',
      `file://${hostile.repository.path}`,
      clone,
    ])
    const { change } = await readerFor(t, { local: clone }).open('', 'HEAD~1', 'HEAD')
    assert.deepEqual([change.base, change.head], [hostile.head, head])
  })

  function snapshot(directory: string): string[] {
    return readdirSync(directory, { recursive: true }).map(String).sort()
  }
})
