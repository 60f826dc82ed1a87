import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const LOOK_AGAIN_MS = 200
const UNWRITTEN_MS = 10_000

/**
 * Installs what the lock file in a directory says, there and once: tools and libraries to compare with, which are no
 * dependency of the product. Where another process is at it, waits for that one: `npm ci` begins by removing everything.
 *
 * @param directory ending in a slash
 * @param what the words for it, as "PM2"
 * @throws Error when npm cannot
 */
export function installOnce(directory: string, what: string): void {
  if (isInstalled(directory)) return
  const unlock = lock(directory)
  try {
    if (!isInstalled(directory)) install(directory, what)
  } finally {
    unlock()
  }
}

function isInstalled(directory: string): boolean {
  const modified = (file: string) => statSync(directory + file, { throwIfNoEntry: false })?.mtimeMs ?? 0
  return modified('node_modules/.package-lock.json') >= modified('package-lock.json')
}

function install(directory: string, what: string): void {
  console.error(`Installing ${what} (once) …`)
  // npm_execpath is npm itself, set by `npm run`.
  const npm = process.env.npm_execpath
  const [command, args] = npm ? [process.execPath, [npm]] : ['npm', []]
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const { status } = spawnSync(command, [...args, 'ci', '--prefix', directory, ...flags], {
    cwd: directory,
    stdio: ['ignore', 2, 2],
  })
  if (status !== 0) throw new Error('npm ci failed; its messages are above. Is a package registry reachable?')
}

/** A file with our number, which nobody else can make meanwhile; one whose owner has died counts for nothing. */
function lock(directory: string): () => void {
  const name = createHash('sha256').update(directory).digest('hex').slice(0, 16)
  const file = path.join(tmpdir(), `kodus-install-${name}`)
  for (;;) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' })
      return () => rmSync(file, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    if (ownerIsGone(file)) rmSync(file, { force: true })
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_AGAIN_MS)
  }
}

function ownerIsGone(file: string): boolean {
  try {
    const pid = Number(readFileSync(file, 'utf8'))
    // Made, and not written yet; or never to be.
    if (!pid) return Date.now() - statSync(file).mtimeMs > UNWRITTEN_MS
    process.kill(pid, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}
