import { execFileSync } from 'node:child_process'
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const SOURCES = fileURLToPath(new URL('../../src/', import.meta.url))

/** As many as one review reads. */
const FILES = 2_000

export interface LargeChange {
  repository: string
  base: string
  head: string
}

/** A repository with a change that keeps a worker busy: thousands of files of real code, all of it new. */
export function makeLargeChange(directory: string): LargeChange {
  const repository = path.join(directory, 'large')
  const code = globSync('**/*.ts', { cwd: SOURCES }).sort()
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=Bench', '-c', 'user.email=bench@example.com', ...args], {
      cwd: repository,
      encoding: 'utf8',
      env: { PATH: process.env.PATH, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' },
    }).trim()
  const commit = (message: string) => {
    git('add', '--all')
    git('commit', '--quiet', '--message', message)
    return git('rev-parse', 'HEAD')
  }

  mkdirSync(repository)
  git('init', '--quiet', '--initial-branch=main')
  writeFileSync(path.join(repository, 'README.md'), 'A large change.\n')
  const base = commit('base')
  for (let n = 0; n < FILES; n++) {
    const name = code[n % code.length] ?? ''
    const file = path.join(repository, `copy-${Math.floor(n / code.length)}`, name)
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, readFileSync(path.join(SOURCES, name)))
  }
  return { repository, base, head: commit('change') }
}
