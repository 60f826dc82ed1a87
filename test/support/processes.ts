import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { ComponentType } from '../../src/components.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const READY_WITHIN_MS = 30_000

/** A line of a component's log. */
export interface LogLine {
  level: string
  msg: string
  component: string
  jobId?: string
  deliveryId?: string
  [field: string]: unknown
}

export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

export interface Component {
  pid: number
  /** Every line so far. */
  lines: LogLine[]
  /** The first line, past or future, that matches; rejects when the component ends without one. */
  line(matches: (line: LogLine) => boolean): Promise<LogLine>
  /** SIGTERM, SIGKILL, SIGSTOP, SIGCONT, …; nothing once it has ended. */
  signal(name: NodeJS.Signals): void
  /** SIGTERM, and how it ended. */
  stop(): Promise<Exit>
  /** SIGKILL, and only after that it is gone. */
  kill(): Promise<void>
  exited: Promise<Exit>
}

export interface ComponentOptions {
  type: ComponentType
  /** The program, if not the checkout's. */
  script?: string
  /** All it gets, besides PATH, HOME and COMPONENT_TYPE: nothing of the machine's own settings leaks in. */
  env: Record<string, string>
  /** Whether to wait until it says that it is ready; true unless a test is about the way there. */
  untilReady?: boolean
}

/**
 * Starts a component as its own process, as production does. After the test it is killed if it still runs,
 * and if the test failed, the end of its log is printed.
 */
export async function spawnComponent(t: TestContext, options: ComponentOptions): Promise<Component> {
  const { type, script = MAIN, env, untilReady = true } = options
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(process.execPath, [script], {
    // Supervised: it ends with this process, whatever becomes of it.
    env: { PATH, HOME, KODUS_SUPERVISED: '1', API_DRAIN_SECONDS: '0', ...env, COMPONENT_TYPE: type },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const exited = once(child, 'exit').then(([code, signal]): Exit => ({ code, signal }))
  const { lines, line, tail } = readLog(child, exited)
  const signal = (name: NodeJS.Signals) => void child.kill(name)
  const kill = async () => {
    signal('SIGKILL')
    await exited
  }
  t.after(async () => {
    await kill()
    const { passed } = t as TestContext & { passed: boolean } // Missing from @types/node 24.
    if (!passed) console.error(`The end of the ${type}'s log (pid ${child.pid}):\n${tail()}`)
  })

  if (untilReady) await ready(child, exited, () => `${type} (pid ${child.pid}):\n${tail()}`)
  const stop = () => {
    signal('SIGTERM')
    return exited
  }
  return { pid: child.pid ?? 0, lines, line, signal, stop, kill, exited }
}

async function ready(child: ChildProcess, exited: Promise<Exit>, describe: () => string): Promise<void> {
  const limit = AbortSignal.timeout(READY_WITHIN_MS)
  const outcome = await Promise.race([
    once(child, 'message', { signal: limit }).then(([message]) => String(message)),
    exited.then(({ code, signal }) => `it ended with ${signal ?? code}`),
  ]).catch(() => 'it took too long')
  if (outcome !== 'ready') throw new Error(`Not ready, ${outcome}: ${describe()}`)
}

function readLog(child: ChildProcess, exited: Promise<Exit>) {
  const lines: LogLine[] = []
  const raw: string[] = []
  const watchers = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    if (!stream) continue
    createInterface(stream).on('line', (text) => {
      raw.push(text)
      const parsed = parseLine(text)
      if (parsed) lines.push(parsed)
      for (const look of watchers) look()
    })
  }
  const line: Component['line'] = (matches) =>
    new Promise((resolve, reject) => {
      const look = () => {
        const found = lines.find(matches)
        if (found === undefined) return
        watchers.delete(look)
        resolve(found)
      }
      watchers.add(look)
      look()
      // The pipes may still hold lines when the process is gone; they close after the last.
      void exited
        .then(() => (child.stdout?.closed ? undefined : once(child, 'close')))
        .then(() => reject(new Error(`The component ended without that line:\n${tail()}`)))
    })
  const tail = () => raw.slice(-30).join('\n')
  return { lines, line, tail }
}

function parseLine(text: string): LogLine | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // Node's own words: a warning, a stack.
  }
}
