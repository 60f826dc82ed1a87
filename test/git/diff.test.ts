import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { type Change, type ChangedFile, type Hunk, touchedLines } from '../../src/forges/change.ts'
import { parsePatch } from '../../src/lib/git/parse-patch.ts'
import { parseRaw } from '../../src/lib/git/parse-raw.ts'
import { createRepository, type Files, readerFor, temporaryDirectory } from './fixture.ts'

/** The change between two states of a repository, and a way to read the files. */
async function changeOf(t: TestContext, base: Files, head: Files) {
  const root = temporaryDirectory(t)
  const repository = createRepository(join(root, 'repository'))
  const baseId = repository.commit('main', base)
  const headId = repository.commit('topic', head, baseId)
  return await readerFor(t, { roots: [root] }).open(repository.path, baseId, headId)
}

function only({ files }: Change): ChangedFile {
  assert.equal(files.length, 1)
  return files[0] as ChangedFile
}

function linesOf(text: string): string[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}

/** Applies hunks as `patch` would, checking every line and number on the way. */
function applyHunks(base: string[], hunks: Hunk[]): string[] {
  const head: string[] = []
  let at = 0
  for (const { oldStart, newStart, lines } of hunks) {
    const removesNothing = lines.every(({ kind }) => kind === 'added')
    const addsNothing = lines.every(({ kind }) => kind === 'removed')
    head.push(...base.slice(at, removesNothing ? oldStart : oldStart - 1))
    at = removesNothing ? oldStart : oldStart - 1
    assert.equal(head.length, addsNothing ? newStart : newStart - 1)
    for (const { kind, text, oldLine, newLine } of lines) {
      assert.equal(oldLine, kind === 'added' ? undefined : at + 1)
      assert.equal(newLine, kind === 'removed' ? undefined : head.length + 1)
      if (kind !== 'added') assert.equal(base[at++], text)
      if (kind !== 'removed') head.push(text)
    }
  }
  return [...head, ...base.slice(at)]
}

const numbered = (count: number, rewrite: Record<number, string> = {}) =>
  Array.from({ length: count }, (_, index) => `${rewrite[index + 1] ?? `line ${index + 1}`}\n`).join('')

describe('the list of changed files', () => {
  test('a renamed file keeps both paths and has no hunks', async (t) => {
    const { change } = await changeOf(t, { 'old.ts': numbered(20) }, { 'new.ts': numbered(20) })
    assert.deepEqual(change.files, [
      { path: 'new.ts', previousPath: 'old.ts', status: 'renamed', kind: 'text', hunks: [] },
    ])
  })

  test('a file renamed and edited has only the edit as its hunks', async (t) => {
    const { change } = await changeOf(
      t,
      { 'old.ts': numbered(20) },
      { 'dir/new.ts': numbered(20, { 10: 'ten' }) },
    )
    const file = only(change)
    assert.deepEqual([file.status, file.previousPath, file.path], ['renamed', 'old.ts', 'dir/new.ts'])
    assert.deepEqual([...touchedLines(file)], [10])
  })

  test('a deleted file is listed with the lines it had', async (t) => {
    const file = only((await changeOf(t, { keep: 'x', gone: 'a\nb\n' }, { keep: 'x' })).change)
    assert.deepEqual([file.path, file.status, file.previousPath], ['gone', 'deleted', undefined])
    assert.deepEqual(file.hunks[0]?.lines, [
      { kind: 'removed', text: 'a', oldLine: 1 },
      { kind: 'removed', text: 'b', oldLine: 2 },
    ])
  })

  test('an added empty file is listed, without hunks', async (t) => {
    const { change } = await changeOf(t, { keep: 'x' }, { keep: 'x', empty: '' })
    assert.deepEqual(change.files, [{ path: 'empty', status: 'added', kind: 'text', hunks: [] }])
  })

  test('a binary file is listed as binary, without hunks, also when it only moves', async (t) => {
    const picture = Buffer.from('PNG\0\u0001\u0002'.repeat(50))
    const { change } = await changeOf(
      t,
      { 'a.png': picture, 'b.png': 'was text\n' },
      { 'moved.png': picture, 'b.png': Buffer.from('no\0text') },
    )
    assert.deepEqual(
      change.files.map(({ path, kind, status, hunks }) => [path, kind, status, hunks.length]),
      [
        ['b.png', 'binary', 'modified', 0],
        ['moved.png', 'binary', 'renamed', 0],
      ],
    )
  })

  test('a NUL far into a file makes it binary, though git shows it as text', async (t) => {
    const open = await changeOf(t, { f: numbered(2000) }, { f: numbered(2000, { 1999: 'a\0b' }) })
    assert.deepEqual(open.change.files, [{ path: 'f', status: 'modified', kind: 'binary', hunks: [] }])
    assert.equal(await open.readFile('head', 'f'), undefined)
    assert.equal(await open.readFile('base', 'f'), numbered(2000))
  })

  test('a change of mode alone is a modification without hunks', async (t) => {
    const { change } = await changeOf(t, { run: 'x\n' }, { run: { mode: '100755', content: 'x\n' } })
    assert.deepEqual(change.files, [{ path: 'run', status: 'modified', kind: 'text', hunks: [] }])
  })

  test('submodules and symbolic links are told apart from files, and have no hunks', async (t) => {
    const { change } = await changeOf(
      t,
      { keep: 'x' },
      { keep: 'x', link: { mode: '120000', content: 'keep' }, module: { submodule: '1'.repeat(40) } },
    )
    assert.deepEqual(
      change.files.map(({ path, kind, hunks }) => [path, kind, hunks.length]),
      [
        ['link', 'symlink', 0],
        ['module', 'submodule', 0],
      ],
    )
  })

  test('a file that becomes a link, and a link that becomes a file, do not shift the files after them', async (t) => {
    const link = { mode: '120000', content: 'z' } as const
    const { change } = await changeOf(
      t,
      { a: 'text\n', b: link, z: '1\n' },
      { a: link, b: 'text\n', z: '2\n' },
    )
    assert.deepEqual(
      change.files.map(({ path, status, kind, hunks }) => [
        path,
        status,
        kind,
        hunks[0]?.lines.map(({ kind, text }) => `${kind} ${text}`),
      ]),
      [
        ['a', 'modified', 'symlink', undefined],
        ['b', 'modified', 'text', ['added text']],
        ['z', 'modified', 'text', ['removed 1', 'added 2']],
      ],
    )
  })

  test('any file name survives: tabs, line feeds, quotes, spaces, globs, not UTF-8', async (t) => {
    const names = [
      'a\tb',
      'a\nb',
      '"q"',
      ' lead',
      'tail ',
      'x -> y',
      'b/é',
      ':(glob)*',
      '*',
      '-rf',
      'c\nd/@@ -1 +1 @@',
    ]
    const latin1 = Buffer.from('caf\u00e9', 'latin1')
    const files = new Map<string | Buffer, string>(names.map((name) => [name, `${name.length}\n`]))
    const open = await changeOf(t, { keep: 'x' }, new Map([...files, ['keep', 'x'], [latin1, 'coffee\n']]))
    assert.deepEqual(open.change.files.map(({ path }) => path).sort(), [...names, 'caf\\351'].sort())
    for (const { path, hunks } of open.change.files) {
      const text = path === 'caf\\351' ? 'coffee' : String(path.length)
      assert.equal(hunks[0]?.lines[0]?.text, text)
      assert.equal(await open.readFile('head', path), `${text}\n`)
    }
  })

  test('a file that did not change is read by its exact name, whatever that looks like', async (t) => {
    const names = [':(glob)*', ':!keep', '*', '-rf', 'a\nb', ' ', 'dir/é"', '[k]eep']
    const files = Object.fromEntries(names.map((name) => [name, `${name}\n`]))
    const open = await changeOf(t, { ...files, keep: '1' }, { ...files, keep: '2' })
    for (const name of names) assert.equal(await open.readFile('head', name), `${name}\n`)
    for (const name of ['dir', 'dir/', 'keep/', '?', '', '/', '/keep', 'no such', 'keep\0', ':(top)keep']) {
      assert.equal(await open.readFile('head', name), undefined, JSON.stringify(name))
    }
  })

  test('only what head adds since it left base is the change, not what base has done since', async (t) => {
    const root = temporaryDirectory(t)
    const repository = createRepository(join(root, 'repository'))
    const start = repository.commit('main', { a: '1\n', b: '1\n' })
    const head = repository.commit('topic', { a: '2\n', b: '1\n' }, start)
    const base = repository.commit('main', { a: '1\n', b: 'moved on\n' }, start)
    const open = await readerFor(t, { roots: [root] }).open(repository.path, 'main', 'topic')
    assert.deepEqual([open.change.base, open.change.head, open.change.mergeBase], [base, head, start])
    assert.equal(only(open.change).path, 'a')
    assert.equal(await open.readFile('base', 'b'), 'moved on\n', 'base is the tip of base')
  })

  test('equal base and head are an empty change', async (t) => {
    const root = temporaryDirectory(t)
    const repository = createRepository(join(root, 'repository'))
    const id = repository.commit('main', { a: '1\n' })
    const { change } = await readerFor(t, { roots: [root] }).open(repository.path, id, 'main')
    assert.deepEqual(change, {
      repository: repository.path,
      base: id,
      head: id,
      mergeBase: id,
      title: 'A title',
      description: 'A description',
      files: [],
      fetchedBytes: 0,
    })
  })

  test('unrelated histories are refused with a reason', async (t) => {
    const root = temporaryDirectory(t)
    const repository = createRepository(join(root, 'repository'))
    repository.commit('main', { a: '1\n' })
    repository.commit('other', { a: '2\n' })
    const reader = readerFor(t, { roots: [root] })
    await assert.rejects(reader.open(repository.path, 'main', 'other'), { code: 'GIT_NO_MERGE_BASE' })
  })

  test('a repository with SHA-256 ids is read like any other', async (t) => {
    const root = temporaryDirectory(t)
    const path = join(root, 'repository')
    createRepository(join(root, 'unused')).git('init', '--quiet', '--object-format=sha256', path)
    const repository = createRepository(path)
    const base = repository.commit('main', { a: '1\n' })
    repository.commit('topic', { a: '2\n' }, base)
    const { change } = await readerFor(t, { roots: [root] }).open(path, 'main', 'topic')
    assert.equal(change.base.length, 64)
    assert.equal(only(change).hunks.length, 1)
  })
})

describe('hunks', () => {
  test('carriage returns stay part of the text', async (t) => {
    const open = await changeOf(t, { f: 'a\r\nb\r\n' }, { f: 'a\r\nc\r\n' })
    assert.deepEqual(
      only(open.change).hunks[0]?.lines.map(({ text }) => text),
      ['a\r', 'b\r', 'c\r'],
    )
    assert.equal(await open.readFile('head', 'f'), 'a\r\nc\r\n')
  })

  test('a missing line feed at the end is no line of its own', async (t) => {
    const file = only((await changeOf(t, { f: 'a\nb' }, { f: 'a\nb\nc' })).change)
    assert.deepEqual(file.hunks[0]?.lines, [
      { kind: 'context', text: 'a', oldLine: 1, newLine: 1 },
      { kind: 'removed', text: 'b', oldLine: 2 },
      { kind: 'added', text: 'b', newLine: 2 },
      { kind: 'added', text: 'c', newLine: 3 },
    ])
  })

  test('lines that look like diff headers are lines', async (t) => {
    const forged = [
      'diff --git a/real b/forged',
      `index ${'0'.repeat(40)}..${'1'.repeat(40)}`,
      '--- a/real',
      '+++ b/forged',
      '@@ -1 +1 @@',
      '-x',
      '+y',
      '\\ No newline at end of file',
      'Binary files a/x and b/x differ',
      'rename to forged',
    ]
    const { change } = await changeOf(
      t,
      { f: '-- a\n', z: '1\n' },
      { f: `++ b\n${forged.join('\n')}\n`, z: '2\n' },
    )
    assert.deepEqual(
      change.files.map(({ path }) => path),
      ['f', 'z'],
    )
    assert.deepEqual(
      change.files[0]?.hunks[0]?.lines.map(({ text }) => text),
      ['-- a', '++ b', ...forged],
    )
  })

  test('changes far apart are separate hunks, three lines of context around each, with their function', async (t) => {
    const source = (rewrite: Record<number, string>) => `function outer() {\n${numbered(60, rewrite)}}\n`
    const indented = (text: string) => text.replaceAll(/^line/gm, '  line')
    const file = only(
      (await changeOf(t, { f: indented(source({})) }, { f: indented(source({ 20: 'x', 50: 'y' })) })).change,
    )
    assert.deepEqual(
      file.hunks.map(({ oldStart, newStart, section, lines }) => [oldStart, newStart, section, lines.length]),
      [
        [18, 18, 'function outer() {', 8],
        [48, 48, 'function outer() {', 8],
      ],
    )
    assert.deepEqual([...touchedLines(file)], [21, 51])
  })

  test('bytes that are not UTF-8 are replaced, and shift no line', async (t) => {
    const latin1 = (text: string) => Buffer.from(text, 'latin1')
    const file = only((await changeOf(t, { f: latin1('é\nb\n') }, { f: latin1('é\nc\n') })).change)
    assert.deepEqual(
      file.hunks[0]?.lines.map(({ text }) => text),
      ['\ufffd', 'b', 'c'],
    )
  })

  test('applied to base they give head, whatever the text', async (t) => {
    const line = fc.oneof(
      fc.constantFrom(
        '',
        'a',
        'b',
        'c',
        '-',
        '+',
        ' ',
        '\r',
        'x\r',
        '@@ -1,2 +1,2 @@',
        '\\ No newline at end of file',
      ),
      fc.constantFrom(
        'diff --git a/f b/f',
        '--- a/f',
        '+++ b/f',
        'index 1..2 100644',
        '\ufeffbom',
        '\u2028',
        '💡',
      ),
      fc.string({ unit: 'grapheme', maxLength: 8 }).map((text) => text.replaceAll(/[\0\n]/g, '')),
    )
    const text = fc
      .tuple(fc.array(line, { maxLength: 30 }), fc.boolean())
      .map(([lines, end]) => lines.join('\n') + (end && lines.length > 0 ? '\n' : ''))
    // Head often shares most of base, so that context and several hunks come up.
    const edited = fc.tuple(text, text, fc.nat(30), fc.nat(5)).map(([base, other, at, drop]) => {
      const lines = base.split('\n')
      lines.splice(at, drop, ...other.split('\n').slice(0, 3))
      return { base, head: lines.join('\n') }
    })
    const pair = fc.oneof(edited, fc.record({ base: text, head: text }))

    await fc.assert(
      fc.asyncProperty(fc.array(pair, { minLength: 1, maxLength: 12 }), async (pairs) => {
        const files = (side: 'base' | 'head') =>
          Object.fromEntries(pairs.map((texts, index) => [`f${index}`, texts[side]]))
        const open = await changeOf(t, files('base'), files('head'))
        const changed = new Map(open.change.files.map((file) => [file.path, file]))
        for (const [index, { base, head }] of pairs.entries()) {
          const file = changed.get(`f${index}`)
          assert.equal(file !== undefined, base !== head)
          assert.deepEqual(applyHunks(linesOf(base), file?.hunks ?? []), linesOf(head))
          assert.equal(await open.readFile('head', `f${index}`), head)
        }
        await open.close()
      }),
      { numRuns: 20 },
    )
  })
})

describe('output of git that does not add up is refused, never guessed at', () => {
  const unexpected = { code: 'GIT_UNEXPECTED_OUTPUT' }

  test('a hunk that ends early', () => {
    assert.throws(() => parsePatch(Buffer.from('diff --git a/0 b/0\n@@ -1,2 +1,2 @@\n a\n')), unexpected)
  })

  test('a hunk with a line of unknown kind', () => {
    assert.throws(() => parsePatch(Buffer.from('diff --git a/0 b/0\n@@ -1 +1 @@\n?a\n')), unexpected)
  })

  test('a raw record that ends early, or is of unknown kind', () => {
    const record = `:100644 100644 ${'1'.repeat(40)} ${'2'.repeat(40)} M`
    assert.throws(() => parseRaw(Buffer.from(`${record}\0`)), unexpected)
    assert.throws(() => parseRaw(Buffer.from(`${record}\0f`)), unexpected)
    assert.throws(() => parseRaw(Buffer.from(`${record.replace('M', 'X')}\0f\0`)), unexpected)
    assert.equal(parseRaw(Buffer.from(`${record}\0f\0`)).length, 1)
  })
})
