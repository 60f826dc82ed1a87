import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const DIRECTORY = fileURLToPath(new URL('../peers/', import.meta.url))

/**
 * Installs what a bench compares with into `bench/peers/node_modules`, once: it is no dependency of the
 * product, nor of its tests.
 *
 * @throws Error when npm cannot
 */
export function installPeers(): void {
  const modified = (file: string) => statSync(DIRECTORY + file, { throwIfNoEntry: false })?.mtimeMs ?? 0
  if (modified('node_modules/.package-lock.json') >= modified('package-lock.json')) return
  console.error('Installing the libraries to compare with (once) …')
  // npm_execpath is npm itself, set by `npm run`.
  const npm = process.env.npm_execpath
  const [command, args] = npm ? [process.execPath, [npm]] : ['npm', []]
  const install = [
    'ci',
    '--prefix',
    DIRECTORY,
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ]
  const { status } = spawnSync(command, [...args, ...install], { cwd: DIRECTORY, stdio: ['ignore', 2, 2] })
  if (status !== 0) throw new Error('npm ci failed; its messages are above. Is a package registry reachable?')
}
