// Runs before every `npm run …`, under whatever Node the machine has: a fresh clone installs itself.
// npm keeps a copy of what it installed in node_modules/.package-lock.json; when the lock file is newer
// than that, the installation is stale.
import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const modified = (file) => statSync(root + file, { throwIfNoEntry: false })?.mtimeMs ?? 0

if (modified('node_modules/.package-lock.json') < modified('package-lock.json')) {
  console.error('Installing dependencies (once) …')
  // npm_execpath is npm itself, set by `npm run`. Warnings about the engine are hidden: the packages run
  // on the Node that this very installation brings, not on the one that runs npm.
  const npm = process.env.npm_execpath
  const [command, ...args] = npm ? [process.execPath, npm] : ['npm']
  const result = spawnSync(command, [...args, 'ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  })
  if (result.status !== 0) {
    console.error('npm ci failed; its messages are above. Is a package registry reachable?')
    process.exit(result.status ?? 1)
  }
}
