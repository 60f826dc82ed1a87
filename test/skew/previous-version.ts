import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { missing } from '../support/missing.ts'
import type { spawnComponent } from '../support/processes.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const MIGRATIONS = 'src/store/migrations'
const CACHE = path.join(homedir(), '.cache', 'kodus', 'skew')

export interface Version {
  commit: string
  /** Starts a component of it, by its own means. */
  spawnComponent: typeof spawnComponent
}

/**
 * The version before the newest migration: the commit before the one that brought it, or the last one while it is
 * not committed.
 *
 * @returns its commit, or why it cannot be had, for a test's `skip`
 */
export function findPrevious(): { skip: string; commit?: never } | { skip: false; commit: string } {
  const newest = readdirSync(path.join(ROOT, MIGRATIONS)).sort().at(-1)
  try {
    const added = git('log', '-1', '--diff-filter=A', '--format=%H', '--', `${MIGRATIONS}/${newest}`)
    const commit = git('rev-parse', '--verify', '--quiet', added ? `${added}^` : 'HEAD')
    return { skip: false, commit }
  } catch {
    const help = 'in a shallow clone, `git fetch --unshallow` first'
    return { skip: missing(`the commit before ${newest} is not in this clone's history: ${help}`) }
  }
}

/** Checks a commit out into a temporary directory, with the libraries that its own lock file names. */
export async function checkOut(commit: string): Promise<{ version: Version; directory: string }> {
  const directory = mkdtempSync(path.join(tmpdir(), 'kodus-previous-'))
  const archive = execFileSync('git', ['archive', commit], { cwd: ROOT, maxBuffer: 2 ** 30 })
  execFileSync('tar', ['-x', '-C', directory], { input: archive })
  symlinkSync(libraries(directory), path.join(directory, 'node_modules'))
  const processes = await import(path.join(directory, 'test/support/processes.ts'))
  return { version: { commit, spawnComponent: processes.spawnComponent }, directory }
}

function libraries(checkout: string): string {
  const lock = readFileSync(path.join(checkout, 'package-lock.json'))
  if (lock.equals(readFileSync(path.join(ROOT, 'package-lock.json')))) return path.join(ROOT, 'node_modules')
  const place = path.join(CACHE, createHash('sha256').update(lock).digest('hex').slice(0, 16))
  if (existsSync(place)) return path.join(place, 'node_modules')

  console.error('Installing the libraries of the previous version (once) …')
  const work = `${place}-${process.pid}`
  mkdirSync(work, { recursive: true })
  for (const name of ['package.json', 'package-lock.json'])
    cpSync(path.join(checkout, name), path.join(work, name))
  // No scripts: what they do is for the databases that a version brings, and this run has its own.
  const flags = ['--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  execFileSync('npm', ['ci', ...flags], { cwd: work, stdio: ['ignore', 2, 2] })
  // The file for the other queue may have been faster.
  if (existsSync(place)) rmSync(work, { recursive: true, force: true })
  else renameSync(work, place)
  return path.join(place, 'node_modules')
}

function git(...args: string[]): string {
  return execFileSync('git', args, {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim()
}
