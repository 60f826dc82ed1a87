import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface StartedProcess {
  pid: number
  child: ChildProcess
  /** SIGTERM, and resolves when it is gone. */
  stop(): Promise<void>
  /** SIGKILL, and resolves when it is gone. */
  kill(): Promise<void>
}

export interface StartOptions {
  /** All it gets besides PATH and HOME: nothing of the shell's own settings leaks in. */
  env: Record<string, string>
  /** Where its output goes: a log is part of what a component costs. */
  logFile: string
  /** The processors it may run on; by default those of this process. */
  processors?: readonly number[]
}

/** A component of the product, as production starts it. */
export const COMPONENT = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

const READY_WITHIN_MS = 30_000

/** Starts a script as a process of its own, and resolves when it sends `ready`. It ends with this process. */
export async function startProcess(
  script: string,
  { env, logFile, processors }: StartOptions,
): Promise<StartedProcess> {
  const { PATH = '', HOME = '' } = process.env
  const node = [process.execPath, script]
  // taskset becomes the program it starts: the pid is the program's.
  const [command = '', ...args] = processors ? ['taskset', '--cpu-list', processors.join(','), ...node] : node
  const output = openSync(logFile, 'a')
  const child = spawn(command, args, {
    env: { PATH, HOME, NODE_ENV: 'production', KODUS_SUPERVISED: '1', ...env },
    stdio: ['ignore', output, output, 'ipc'],
  })
  closeSync(output)
  const exited = once(child, 'exit')
  const ready = await Promise.race([
    once(child, 'message', { signal: AbortSignal.timeout(READY_WITHIN_MS) }).then(() => true),
    exited.then(() => false),
  ])
  if (!ready) throw new Error(`${script} did not start:\n${readFileSync(logFile, 'utf8').slice(-2_000)}`)
  return {
    pid: child.pid ?? 0,
    child,
    async stop() {
      child.kill('SIGTERM')
      const killer = setTimeout(() => child.kill('SIGKILL'), 15_000)
      await exited
      clearTimeout(killer)
    },
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
