import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { githubDescription, startGitHub } from './server.ts'

const skip = await githubDescription()

async function start(t: TestContext) {
  const github = await startGitHub(t)
  const directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'kodus-clone-')))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const git = async (...args: string[]) => {
    const env = {
      PATH: process.env.PATH,
      HOME: directory,
      GIT_TERMINAL_PROMPT: '0',
      GIT_CONFIG_NOSYSTEM: '1',
    }
    const { stdout } = await promisify(execFile)('git', args, { cwd: directory, env })
    return stdout.trim()
  }
  await git('init', '--quiet', '--bare', '.')
  const fetch = (url: string, token: string | undefined, ...args: string[]) => {
    const basic = Buffer.from(`x-access-token:${token}`).toString('base64')
    const header = token ? ['-c', `http.extraHeader=Authorization: Basic ${basic}`] : []
    return git(...header, 'fetch', '--quiet', ...args.slice(0, -1), url, args.at(-1) ?? '')
  }
  return { github, git, fetch }
}

describe('git over HTTP', { skip }, () => {
  test("brings a fork's commits by the pull request's reference, blobs left out", async (t) => {
    const { github, git, fetch } = await start(t)
    const shop = github.createRepository('octo/shop', { files: { 'a.txt': 'one\n' } })
    const fork = shop.fork('stranger')
    const head = fork.commit('mine', { 'a.txt': 'two\n' })
    const pull = shop.openPullRequest({ head: 'mine', from: fork })
    assert.equal(pull.show().head.repo.full_name, 'stranger/shop')
    const token = github.createInstallationToken('octo')
    await fetch(shop.url, token, '--filter=blob:none', 'refs/pull/1/head:refs/heads/one')
    assert.equal(await git('rev-parse', 'one'), head)
    await assert.rejects(git('cat-file', '-e', await git('rev-parse', 'one:a.txt')), 'the blob came too')
    assert.equal(github.git.fetches > 0, true)
    assert.equal(github.git.bytesSent > 100, true)
    const next = pull.push({ 'a.txt': 'three\n' })
    await fetch(shop.url, token, next)
    assert.equal(await git('rev-parse', 'FETCH_HEAD'), next)
  })

  test('asks for a token that is good, and reaches the repository, and may read contents', async (t) => {
    const { github, fetch } = await start(t)
    const shop = github.createRepository('octo/shop')
    const hidden = github.createRepository('octo/hidden', { installed: false })
    const open = github.createRepository('octo/open', { private: false, installed: false })
    const token = github.createInstallationToken('octo')
    const mona = github.createToken('mona')
    await fetch(open.url, undefined, 'main')
    await assert.rejects(
      fetch(shop.url, undefined, 'main'),
      /could not read Username|terminal prompts disabled/,
    )
    await assert.rejects(
      fetch(shop.url, 'ghs_wrong', 'main'),
      /Authentication failed|could not read Username/,
    )
    await assert.rejects(fetch(hidden.url, token, 'main'), /not found/)
    await assert.rejects(fetch(shop.url, mona, 'main'), /not found/)
    shop.setPermission('mona', 'read')
    await fetch(shop.url, mona, 'main')
    delete github.app.permissions.contents
    await assert.rejects(fetch(shop.url, token, 'main'), /403/)
  })
})
