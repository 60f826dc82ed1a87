import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ComponentType } from '../../components.ts'
import type { Environment } from '../../lib/env.ts'
import { KodusError } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import { componentScript } from '../installation.ts'

const FIRST_RESTART_MS = 500
const LONGEST_RESTART_MS = 10_000
/** A component that lived this long gets its first restart quickly again. */
const SETTLED_MS = 30_000

export interface SupervisedComponent {
  readonly type: ComponentType
  pid(): number | undefined
  /** Asks it to stop, and kills it if it does not within `withinMs`. */
  stop(withinMs: number): Promise<void>
}

export interface SuperviseOptions {
  type: ComponentType
  env: Environment
  /** The file that its output is added to. Undefined: it goes where ours goes. */
  logFile?: string | undefined
  log: Log
}

/**
 * Runs a component as a process of its own and keeps it running: when it dies it is started again, and the
 * others do not notice. It stands in its own process group, so that Ctrl-C in a terminal reaches only the
 * supervisor, which then stops everything in order.
 *
 * @returns once the component is ready
 * @throws KodusError COMPONENT_NOT_STARTED when it ends before it was ever ready
 */
export async function supervise(options: SuperviseOptions): Promise<SupervisedComponent> {
  const { type, log } = options
  let child = start(options)
  let stopping = false
  await firstReady(child, options)

  const keepRunning = async () => {
    let delay = FIRST_RESTART_MS
    while (!stopping) {
      const startedAt = Date.now()
      const [code, signal] = await exited(child)
      if (stopping) return
      if (Date.now() - startedAt > SETTLED_MS) delay = FIRST_RESTART_MS
      log.warn(
        `${type} ended (${signal ?? (code === null ? 'could not be started' : `exit code ${code}`)}); starting it again in ${delay} ms`,
      )
      await sleep(delay)
      delay = Math.min(delay * 2, LONGEST_RESTART_MS)
      if (!stopping) child = start(options)
    }
  }
  const running = keepRunning()

  return {
    type,
    pid: () => child.pid,
    async stop(withinMs) {
      stopping = true
      child.kill('SIGTERM')
      const killer = setTimeout(() => {
        log.warn(`${type} did not stop within ${withinMs} ms; killing it`)
        child.kill('SIGKILL')
      }, withinMs)
      await running
      clearTimeout(killer)
    },
  }
}

function start({ type, env, logFile }: SuperviseOptions): ChildProcess {
  const output = logFile === undefined ? 'inherit' : openSync(logFile, 'a')
  try {
    return spawn(process.execPath, [componentScript], {
      env: { ...env, COMPONENT_TYPE: type, KODUS_SUPERVISED: '1' },
      stdio: ['ignore', output, output, 'ipc'],
      detached: true,
    })
  } finally {
    if (output !== 'inherit') closeSync(output)
  }
}

async function firstReady(child: ChildProcess, { type, logFile }: SuperviseOptions): Promise<void> {
  const outcome = await Promise.race([
    once(child, 'message').then(() => 'ready' as const),
    exited(child).then(([code, signal]) => signal ?? `exit code ${code}`),
  ])
  if (outcome === 'ready') return
  throw new KodusError('COMPONENT_NOT_STARTED', `${type} ended before it was ready (${outcome}).`, {
    help: logFile === undefined ? 'Its own last log line says why.' : `The last line of ${logFile} says why.`,
  })
}

async function exited(child: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> {
  if (child.exitCode !== null || child.signalCode !== null) return [child.exitCode, child.signalCode]
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve([code, signal]))
    // It could not even be started (no memory, no file): that is an end too, and tried again like any other.
    child.once('error', () => resolve([null, null]))
  })
}
