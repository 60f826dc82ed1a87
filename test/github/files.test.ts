import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { call } from './call.ts'
import { type Answer, type Files, githubDescription, startGitHub } from './server.ts'

const skip = await githubDescription()

async function listFiles(t: TestContext, base: Files, head: Files): Promise<Answer[]> {
  const github = await startGitHub(t)
  const shop = github.createRepository('octo/shop', { files: base })
  shop.commit('feature', head)
  // Base moves on; the diff is what the branch does since they parted.
  shop.commit('main', { 'unrelated.txt': 'x\n' })
  const pull = shop.openPullRequest({ head: 'feature' })
  const token = github.createInstallationToken('octo')
  const files: Answer[] = []
  for (let page = 1; ; page += 1) {
    const path = `/repos/octo/shop/pulls/${pull.number}/files?per_page=100&page=${page}`
    const { body } = await call(github, token, `GET ${path}`)
    files.push(...body)
    if (body.length < 100) return files
  }
}

const short = ({ filename, status, additions, deletions, patch }: Answer) =>
  [filename, status, additions, deletions, patch] as const

describe('the files of a pull request', { skip }, () => {
  test('are what it changes since it parted from its base, as git tells it', async (t) => {
    const long = Array.from({ length: 20 }, (_, index) => `line ${index}\n`).join('')
    const files = await listFiles(
      t,
      { 'a.txt': 'one\ntwo\n', 'b.txt': 'gone\n', 'old name.txt': long, 'run.sh': 'x\n' },
      {
        'a.txt': 'one\r\ntwo',
        'b.txt': null,
        'old name.txt': null,
        'néw "name".txt': long.replace('line 3', 'LINE 3'),
        'c.bin': Buffer.from([0, 1, 2]),
        link: { mode: '120000', content: 'a.txt' },
        'run.sh': { mode: '100755', content: 'x\n' },
        vendored: { submodule: 'c'.repeat(40) },
      },
    )
    assert.deepEqual(files.map(short), [
      ['a.txt', 'modified', 2, 2, '@@ -1,2 +1,2 @@\n-one\n-two\n+one\r\n+two\n\\ No newline at end of file'],
      ['b.txt', 'removed', 0, 1, '@@ -1 +0,0 @@\n-gone'],
      ['c.bin', 'added', 0, 0, undefined],
      ['link', 'added', 1, 0, '@@ -0,0 +1 @@\n+a.txt\n\\ No newline at end of file'],
      ['néw "name".txt', 'renamed', 1, 1, files[4].patch],
      ['run.sh', 'modified', 0, 0, undefined],
      ['vendored', 'added', 1, 0, `@@ -0,0 +1 @@\n+Subproject commit ${'c'.repeat(40)}`],
    ])
    assert.equal(files[4].previous_filename, 'old name.txt')
    assert.match(files[4].patch, /^@@ -1,7 \+1,7 @@\n line 0\n/)
  })

  test('have no patch when it would be too large', async (t) => {
    const [file] = await listFiles(t, {}, { 'big.txt': 'x\n'.repeat(20_001) })
    assert.deepEqual(short(file), ['big.txt', 'added', 20_001, 0, undefined])
  })

  test('are 3,000 at most', async (t) => {
    const many: Files = {}
    for (let count = 0; count < 3_001; count += 1) many[`${count}.txt`] = `${count}\n`
    assert.equal((await listFiles(t, {}, many)).length, 3_000)
  })
})
