import { execFileSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../node_modules/.cache/kodus/redis', import.meta.url))

export interface RedisInstallation {
  program: string
  /** Where its libraries are, if not among the system's. */
  libraries?: string
}

/**
 * Finds Redis, or fetches Debian's into a folder of ours: as what the machine lacks of it, and without
 * installing anything.
 *
 * @throws Error when there is none, and it cannot be fetched
 */
export function installRedis(): RedisInstallation {
  const [ofSystem] = globSync(['/usr/bin/redis-server', '/usr/local/bin/redis-server'])
  if (ofSystem) return { program: ofSystem }
  if (!existsSync(ROOT)) fetchFromDebian()
  const [libraries = ''] = globSync('usr/lib/*-linux-gnu', { cwd: ROOT })
  return { program: path.join(ROOT, 'usr/bin/redis-server'), libraries: path.join(ROOT, libraries) }
}

function fetchFromDebian(): void {
  console.error('Fetching Redis (once) …')
  const work = `${ROOT}-${process.pid}`
  mkdirSync(path.join(work, 'root'), { recursive: true })
  const run = (command: string, ...args: string[]) =>
    execFileSync(command, args, { cwd: work, encoding: 'utf8', stdio: ['ignore', 'pipe', 2] })
  try {
    // Fresh machines have no lists; only root may fetch them.
    if (process.getuid?.() === 0) run('apt-get', '-q', 'update')
    const plan = run('apt-get', '-q', '--simulate', '--no-install-recommends', 'install', 'redis-server')
    const packages = [...plan.matchAll(/^Inst (\S+)/gm)].flatMap(([, name]) => name ?? [])
    run('apt-get', '-q', '-o', 'APT::Sandbox::User=', 'download', ...packages)
    for (const file of globSync('*.deb', { cwd: work })) run('dpkg-deb', '--extract', file, 'root')
    renameSync(path.join(work, 'root'), ROOT)
  } catch (error) {
    throw new Error('Redis is not installed, and could not be fetched: install redis-server', {
      cause: error,
    })
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}
