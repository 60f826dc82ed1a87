import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { ComponentType } from '../src/components.ts'
import type { ClockShift } from './preload.ts'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const PRELOAD = fileURLToPath(new URL('preload.ts', import.meta.url))

/** What a process manager waits before it starts again what has died. */
const RESTART_MS = 500
const READY_WITHIN_MS = 60_000
/** The grace period of a worker, and what it asks for on top. */
const STOPPED_WITHIN_MS = 45_000

/** A component that is started again whenever it ends, as PM2 or ECS would. */
export interface Supervised {
  readonly name: string
  readonly type: ComponentType
  starts(): number
  /** Sends a signal to the process that runs now; does nothing when none does. */
  signal(name: NodeJS.Signals): void
  shiftClock(ms: number): void
  /** Resolves when the process that runs now, or the next one, has said that it is ready. */
  ready(): Promise<void>
  /** SIGTERM, and not started again. @returns how it ended */
  stop(): Promise<{ code: number | null; signal: string | null }>
  /** SIGKILL, and not started again. */
  end(): Promise<void>
  /** How processes of it ended that nobody had killed. */
  readonly crashes: string[]
}

export interface SuperviseOptions {
  name: string
  type: ComponentType
  env: Record<string, string>
  logs: string
}

export function supervise({ name, type, env, logs }: SuperviseOptions): Supervised {
  const { PATH = '', HOME = '' } = process.env
  mkdirSync(logs, { recursive: true })
  const logFile = path.join(logs, `${name}.log`)
  const crashes: string[] = []
  let starts = 0
  let ended = false
  let asked = false
  let child: ChildProcess
  let exited: Promise<[number | null, NodeJS.Signals | null]>
  let isReady: Promise<void>

  const start = () => {
    starts += 1
    asked = false
    const log = openSync(logFile, 'a')
    writeSync(log, `--- start ${starts} at ${new Date().toISOString()}\n`)
    child = spawn(process.execPath, [`--import=${PRELOAD}`, MAIN], {
      env: { PATH, HOME, ...env, KODUS_SUPERVISED: '1', COMPONENT_TYPE: type },
      stdio: ['ignore', log, log, 'ipc'],
    })
    closeSync(log)
    child.on('error', () => {}) // The channel of one that has just been killed.
    const spawned = child
    exited = once(child, 'exit') as typeof exited
    const said = new Promise<void>((resolve) => {
      spawned.on('message', (message) => message === 'ready' && resolve())
    })
    isReady = said
    void exited.then(async ([code, signal]) => {
      if (!asked && signal !== 'SIGKILL') crashes.push(`${name}: ${signal ?? `code ${code}`}`)
      if (asked && code !== 0 && signal !== 'SIGKILL')
        crashes.push(`${name}, asked to stop: ${signal ?? `code ${code}`}`)
      await sleep(RESTART_MS)
      if (!ended) start()
    })
  }
  start()

  const signal = (which: NodeJS.Signals) => {
    if (which === 'SIGTERM') asked = true
    child.kill(which)
  }
  return {
    name,
    type,
    crashes,
    starts: () => starts,
    signal,
    shiftClock(shiftClockMs) {
      if (child.connected) child.send({ shiftClockMs } satisfies ClockShift, () => {})
    },
    async ready() {
      const limit = performance.now() + READY_WITHIN_MS
      while (performance.now() < limit) {
        const now = starts
        // Not for its exit: one that has ended would be asked again and again, and no timer ever be heard.
        const state = await Promise.race([isReady.then(() => 'ready'), sleep(500)])
        if (state === 'ready' && now === starts) return
      }
      throw new Error(`${name} did not become ready within ${READY_WITHIN_MS / 1000} s: see ${logFile}`)
    },
    async stop() {
      ended = true
      signal('SIGTERM')
      const limit = setTimeout(() => child.kill('SIGKILL'), STOPPED_WITHIN_MS)
      const [code, how] = await exited
      clearTimeout(limit)
      return { code, signal: how }
    },
    async end() {
      ended = true
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await exited
    },
  }
}
