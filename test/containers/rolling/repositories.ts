import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { makeLargeChange } from '../../../bench/isolation/large-change.ts'
import type { ReviewedChange } from './webhooks.ts'

/** Where the workers' containers have them. */
export const REPOSITORIES_INSIDE = '/repositories'
/** Jobs of one repository are limited in number: several, so that slots are what limits. */
const SMALL = 6
const BASE = 'def total(items):\n    return sum(items)\n'
const MISTAKE = 'def order(item, seen=[]):\n    seen.append(item)\n    return seen\n'

export interface Repositories {
  directory: string
  /** A new function each, with a mistake in it. */
  small: readonly ReviewedChange[]
  /** About a thousand new files: half a minute of a processor, or more. */
  large: ReviewedChange
}

export function makeRepositories(directory: string): Repositories {
  const first = path.join(directory, 'shop-1')
  mkdirSync(first)
  const git = (...args: string[]) => runGit(first, ...args)
  const commit = (file: string, content: string) => {
    writeFileSync(path.join(first, file), content)
    git('add', '--all')
    git('commit', '--quiet', '--message', file)
    return git('rev-parse', 'HEAD')
  }
  git('init', '--quiet', '--initial-branch=main')
  const base = commit('total.py', BASE)
  const head = commit('order.py', MISTAKE)
  const names = Array.from({ length: SMALL }, (_, at) => `shop-${at + 1}`)
  for (const name of names.slice(1)) cpSync(first, path.join(directory, name), { recursive: true })

  const inside = (name: string) => `${REPOSITORIES_INSIDE}/${name}`
  const { repository, base: empty } = makeLargeChange(directory)
  runGit(repository, 'rm', '-r', '--quiet', 'copy-[2-9]/*')
  runGit(repository, 'commit', '--quiet', '--message', 'fewer')
  const large = { base: empty, head: runGit(repository, 'rev-parse', 'HEAD') }
  // git works only in repositories of its own account, which a container numbers differently.
  execFileSync('chown', ['--recursive', '10001:10001', directory])
  return {
    directory,
    small: names.map((name) => ({ repository: inside(name), base, head })),
    large: { ...large, repository: inside(path.basename(repository)) },
  }
}

function runGit(cwd: string, ...args: string[]): string {
  return execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@example.com', ...args], {
    cwd,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' },
  }).trim()
}
