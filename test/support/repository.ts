import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'

export interface TestRepository {
  /** The directory that holds the repository: a root below which it may be named by path. */
  root: string
  path: string
  base: string
  head: string
  git(...args: string[]): string
  /** Commits files (`null` deletes one) on top of what is checked out, and returns the commit's id. */
  commit(files: Record<string, string | null>, message?: string): string
}

/** A real repository with two commits, removed after the test. */
export function makeRepository(
  t: TestContext,
  { base, head }: { base: Record<string, string>; head: Record<string, string | null> },
): TestRepository {
  const root = realpathSync(mkdtempSync(path.join(tmpdir(), 'kodus-repository-')))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const repository = path.join(root, 'repository')
  mkdirSync(repository)

  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@example.com', ...args], {
      cwd: repository,
      encoding: 'utf8',
      env: { PATH: process.env.PATH, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' },
    }).trim()

  const commit = (files: Record<string, string | null>, message = 'change') => {
    for (const [name, content] of Object.entries(files)) {
      const file = path.join(repository, name)
      mkdirSync(path.dirname(file), { recursive: true })
      if (content === null) rmSync(file)
      else writeFileSync(file, content)
    }
    git('add', '--all')
    git('commit', '--quiet', '--allow-empty', '--message', message)
    return git('rev-parse', 'HEAD')
  }

  git('init', '--quiet', '--initial-branch=main')
  return { root, path: repository, base: commit(base, 'base'), head: commit(head, 'head'), git, commit }
}
