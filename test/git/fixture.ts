import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { ChangeReader, OpenChange } from '../../src/forges/forge.ts'
import { createGitReader, createLocalReader, type GitReaderOptions } from '../../src/forges/git/client.ts'
import type { ReviewRequest } from '../../src/jobs/review-request.ts'
import { readGitSettings } from '../../src/lib/git/config.ts'
import type { GitLimits } from '../../src/lib/git/settings.ts'

/** A directory that is gone after the test. */
export function temporaryDirectory(t: TestContext): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'kodus-test-')))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** git as a person has it: with the repository's configuration, hooks and filters. */
export function plainGit(directory: string, args: string[], input?: string | Buffer): string {
  return execFileSync('git', args, {
    cwd: directory,
    input,
    stdio: ['pipe', 'pipe', 'pipe'],
    maxBuffer: 512 * 1024 ** 2,
    env: {
      PATH: process.env.PATH,
      HOME: directory,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_AUTHOR_NAME: 'A',
      GIT_AUTHOR_EMAIL: 'a@example.com',
      GIT_COMMITTER_NAME: 'A',
      GIT_COMMITTER_EMAIL: 'a@example.com',
    },
  })
    .toString()
    .trim()
}

/** The same, for commands that are expected to fail once they have done what we want to see. */
export function tryPlainGit(directory: string, args: string[]): void {
  try {
    plainGit(directory, args)
  } catch {
    // What it did is looked at by the caller.
  }
}

export type Content = string | Buffer | { mode: '100755' | '120000'; content: string } | { submodule: string }
export type Files = Record<string, Content> | Map<string | Buffer, Content>

export interface TestRepository {
  path: string
  /** Commits exactly these files to the branch. @returns the commit id */
  commit(branch: string, files: Files, parent?: string): string
  /** Commits one text of a file after the other on top of a commit. @returns the last commit's id */
  history(branch: string, file: string, texts: readonly string[], parent: string): string
  /** Stores a tree made of raw entries, which git itself would refuse to make. */
  rawTree(entries: { mode: string; name: string; id: string }[]): string
  blob(content: string): string
  git(...args: string[]): string
}

export function createRepository(path: string, { bare = false } = {}): TestRepository {
  plainGit(tmpdir(), ['init', '--quiet', '--initial-branch=main', ...(bare ? ['--bare'] : []), path])
  return {
    path,
    git: (...args) => plainGit(path, args),
    blob: (content) => plainGit(path, ['hash-object', '-w', '--stdin'], content),
    rawTree(entries) {
      const tree = entries.map(({ mode, name, id }) =>
        Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(id, 'hex')]),
      )
      return plainGit(
        path,
        ['hash-object', '-t', 'tree', '--literally', '-w', '--stdin'],
        Buffer.concat(tree),
      )
    },
    history(branch, file, texts, parent) {
      const commits = texts.map((text, n) => {
        const from = n === 0 ? `from ${parent}\n` : ''
        const data = `data ${Buffer.byteLength(text)}\n${text}\n`
        const head = `commit refs/heads/${branch}\ncommitter A <a@example.com> 1700000000 +0000\ndata 1\nx\n`
        return `${head}${from}M 100644 inline ${file}\n${data}`
      })
      plainGit(path, ['fast-import', '--quiet', '--force'], commits.join(''))
      return plainGit(path, ['rev-parse', `refs/heads/${branch}`])
    },
    commit(branch, files, parent) {
      const stream: Buffer[] = [
        Buffer.from(`commit refs/heads/${branch}\ncommitter A <a@example.com> 1700000000 +0000\ndata 1\nx\n`),
        Buffer.from(`${parent ? `from ${parent}\n` : ''}deleteall\n`),
      ]
      for (const [name, content] of files instanceof Map ? files : Object.entries(files)) {
        const quoted = [...Buffer.from(name)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')
        if (typeof content === 'object' && 'submodule' in content) {
          stream.push(Buffer.from(`M 160000 ${content.submodule} "${quoted}"\n`))
          continue
        }
        const plain = typeof content === 'string' || Buffer.isBuffer(content)
        const data = Buffer.from(plain ? content : content.content)
        stream.push(
          Buffer.from(`M ${plain ? '100644' : content.mode} inline "${quoted}"\ndata ${data.length}\n`),
        )
        stream.push(data, Buffer.from('\n'))
      }
      plainGit(path, ['fast-import', '--quiet', '--force'], Buffer.concat(stream))
      return plainGit(path, ['rev-parse', `refs/heads/${branch}`])
    },
  }
}

export function requestFor(repository: string, base: string, head: string): ReviewRequest {
  return {
    repository,
    organisation: 'test',
    pullRequest: null,
    base,
    head,
    title: 'A title',
    description: 'A description',
    branch: null,
    sender: null,
    action: 'requested',
  }
}

export interface TestReader {
  open(repository: string, base: string, head: string, signal?: AbortSignal): Promise<OpenChange>
  /** Where its scratch repositories are while they are open. */
  scratchRoot: string
}

/** A reader whose scratch directories must all be gone when the test ends. */
export function readerFor(
  t: TestContext,
  options: Partial<GitReaderOptions> & { local?: string; limits?: Partial<GitLimits> } = {},
): TestReader {
  const scratchRoot = realpathSync(mkdtempSync(join(tmpdir(), 'kodus-test-')))
  const settings = { ...readGitSettings(), scratchRoot }
  const reader: ChangeReader = options.local
    ? createLocalReader(options.local, settings)
    : createGitReader({
        roots: [],
        allowedProtocols: [],
        ...options,
        settings: { ...settings, ...options.settings, scratchRoot },
      })
  const opened: OpenChange[] = []
  t.after(async () => {
    await Promise.all(opened.map((change) => change.close()))
    const leftBehind = readdirSync(scratchRoot)
    rmSync(scratchRoot, { recursive: true, force: true })
    assert.deepEqual(leftBehind, [], 'a scratch directory was left behind')
  })
  return {
    scratchRoot,
    async open(repository, base, head, signal = new AbortController().signal) {
      const change = await reader.open(requestFor(repository, base, head), signal)
      opened.push(change)
      return change
    },
  }
}

/** A file that appears if, and only if, somebody else's command is run. */
export interface Canary {
  command: string
  path: string
  /** Asserts that plain git does run the command, and takes the file away again. */
  firesWith(action: () => void): void
  assertQuiet(): void
}

export function createCanary(t: TestContext): Canary {
  const path = join(temporaryDirectory(t), 'canary')
  return {
    path,
    command: `touch ${path}`,
    firesWith(action) {
      action()
      assert.ok(existsSync(path), 'plain git does not run the command either: this test proves nothing')
      rmSync(path)
    },
    assertQuiet: () => assert.ok(!existsSync(path), "the repository's command was run"),
  }
}
