import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { installPm2 } from './install-pm2.ts'
import { keptOfShell } from './kept-of-shell.ts'

// `npm run pm2 -- …`: PM2 on the project's Node, with a daemon, logs and a process list of its own in the checkout,
// so that no other PM2 of the machine, and no other checkout, has to fit.

const pm2 = installPm2()
const home = process.env.PM2_HOME ?? fileURLToPath(new URL('../../.kodus/pm2', import.meta.url))
mkdirSync(home, { recursive: true, mode: 0o700 })

const forPm2 = Object.entries(process.env).filter(([name]) => /^(PM2_|TERM$|COLORTERM$|NO_COLOR$)/.test(name))
const { status } = spawnSync(process.execPath, [pm2, ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: {
    ...keptOfShell(process.env),
    ...Object.fromEntries(forPm2),
    PM2_HOME: home,
    // No advertisement, and no question to its makers' server whether there is a newer one.
    PM2_DISCRETE_MODE: 'true',
    PM2_DISABLE_VERSION_CHECK: 'true',
  },
})
process.exit(status ?? 1)
