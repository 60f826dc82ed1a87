import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { installPm2 } from '../../infra/pm2/install-pm2.ts'
import { isAlive } from '../e2e/start-up.ts'
import { type Ran, run } from '../support/kodus.ts'
import type { LogLine } from '../support/processes.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
export const CONFIG = 'infra/pm2/ecosystem.config.cjs'
/** Changes what the config says, for a test. */
const CHANGED_CONFIG = 'changed.config.cjs'

/** One process, as PM2 tells it. */
export interface Listed {
  id: number
  name: string
  pid: number
  status: string
  /** When it was started, in milliseconds since 1970. */
  startedAt: number
  restarts: number
}

interface Told {
  pm_id: number
  name: string
  pid: number
  pm2_env: { status: string; pm_uptime: number; restart_time: number }
}

export interface Pm2Options {
  /** What is in the checkout's `.env`. */
  settings: Record<string, string>
  /** What PM2 is started with, beside the usual. */
  env?: Record<string, string>
  /** A function of the config's apps, as source. */
  change?: string
}

/**
 * A checkout of its own with the real PM2, whose daemon and processes end with the test, and also when the test
 * does not get to its end.
 */
export async function openPm2(t: TestContext, { settings, env = {}, change }: Pm2Options) {
  const modules = path.resolve(installPm2(), '../../..')
  const checkout = mkdtempSync(path.join(tmpdir(), 'kodus-pm2-'))
  for (const name of ['src', 'infra/pm2', 'scripts/install-once.ts', 'package.json']) {
    const filter = (file: string) => path.basename(file) !== 'node_modules'
    cpSync(ROOT + name, path.join(checkout, name), { recursive: true, preserveTimestamps: true, filter })
  }
  symlinkSync(`${ROOT}node_modules`, path.join(checkout, 'node_modules'))
  symlinkSync(modules, path.join(checkout, 'infra/pm2/node_modules'))
  /** Writes the checkout's `.env`, with some of the settings changed. */
  const set = (changed: Record<string, string>) => {
    const lines = Object.entries({ ...settings, ...changed }).map(([name, value]) => `${name}='${value}'\n`)
    writeFileSync(path.join(checkout, '.env'), lines.join(''), { mode: 0o600 })
  }
  set({})
  if (change) {
    const apps = `(${change})(require('./${CONFIG}').apps)`
    writeFileSync(path.join(checkout, CHANGED_CONFIG), `exports.apps = ${apps}\n`)
  }
  const home = path.join(checkout, '.kodus/pm2')

  let over = false
  const pm2 = async (...args: string[]): Promise<Ran> => {
    // Any command would start another daemon.
    if (over) throw new Error('this test is over')
    return run(process.execPath, ['infra/pm2/run-pm2.ts', ...args], { cwd: checkout, env })
  }

  /** The same PM2 as a machine's own would be: not by way of `npm run pm2`. */
  const direct = async (shell: Record<string, string>, ...args: string[]): Promise<Ran> => {
    if (over) throw new Error('this test is over')
    const quiet = { PM2_DISCRETE_MODE: 'true', PM2_DISABLE_VERSION_CHECK: 'true' }
    return run(process.execPath, [installPm2(), ...args], {
      cwd: checkout,
      env: { ...shell, ...quiet, PM2_HOME: home },
    })
  }

  const done = async (...args: string[]): Promise<Ran> => {
    const ran = await pm2(...args)
    assert.equal(ran.code, 0, `pm2 ${args.join(' ')}: ${ran.stdout}${ran.stderr}`)
    return ran
  }

  const list = async (): Promise<Listed[]> => {
    const { stdout } = await direct({}, 'jlist')
    const listed = JSON.parse(stdout) as Told[]
    return listed.map(({ pm_id, name, pid, pm2_env: { status, pm_uptime, restart_time } }) => ({
      id: pm_id,
      name,
      pid,
      status,
      startedAt: pm_uptime,
      restarts: restart_time,
    }))
  }

  const daemonPid = () => {
    try {
      return Number(readFileSync(path.join(home, 'pm2.pid'), 'utf8'))
    } catch {
      return 0
    }
  }
  // Its processes end with it (KODUS_SUPERVISED).
  const killDaemon = () => {
    const pid = daemonPid()
    if (isAlive(pid)) process.kill(pid, 'SIGKILL')
  }
  // A file that is interrupted runs no hooks. Whoever else has something to stop does it afterwards, and exits.
  const abandon = (signal: NodeJS.Signals) => {
    killDaemon()
    if (process.listenerCount(signal) === 0) process.exit(1)
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.prependOnceListener(signal, abandon)

  t.after(async () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, abandon)
    const { passed } = t as TestContext & { passed: boolean } // Missing from @types/node 24.
    if (!passed) {
      console.error(`PM2's log:\n${read('pm2.log')}`)
      for (const name of ['webhook-handler', 'api-rest', 'worker']) {
        const output = read(`logs/${name}-out.log`).split('\n').slice(-30).join('\n')
        console.error(`${name}:\n${output}${read(`logs/${name}-error.log`)}`)
      }
    }
    const pid = daemonPid()
    if (isAlive(pid)) {
      process.kill(pid, 'SIGCONT') // A test may have frozen it.
      await pm2('kill')
    }
    over = true
    if (isAlive(pid)) killDaemon()
    while (isAlive(pid)) await sleep(20)
    rmSync(checkout, { recursive: true, force: true })
  })

  const read = (file: string) => {
    try {
      return readFileSync(path.join(home, file), 'utf8')
    } catch {
      return ''
    }
  }
  /** What a component has written to a file of its log; every line of it. */
  const log = (name: string): LogLine[] =>
    read(`logs/${name}-out.log`)
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line))

  return {
    home,
    set,
    direct,
    done,
    list,
    log,
    read,
    daemonPid,
    start: (...args: string[]) => done('start', change ? CHANGED_CONFIG : CONFIG, ...args),
  }
}

export type Pm2 = Awaited<ReturnType<typeof openPm2>>
