import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'

/**
 * Installs what the lock file in a directory says, there and once: tools and libraries to compare with, which
 * are no dependency of the product.
 *
 * @param directory ending in a slash
 * @param what the words for it, as "PM2"
 * @throws Error when npm cannot
 */
export function installOnce(directory: string, what: string): void {
  const modified = (file: string) => statSync(directory + file, { throwIfNoEntry: false })?.mtimeMs ?? 0
  if (modified('node_modules/.package-lock.json') >= modified('package-lock.json')) return
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
