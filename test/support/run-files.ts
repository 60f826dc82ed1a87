import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Environment } from '../../src/lib/env.ts'
import { testEnvironment } from './test-environment.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** For what has to be taken down again: engines, containers. */
const INTERRUPT_GRACE_MS = 60_000

/**
 * Runs files of tests that `npm test` does not: each brings its own servers.
 *
 * @param options `outcomes`: the file that test/support/count.ts reads; `args`: more of `node --test`
 * @returns the exit code, and the signal that ended it before its time
 */
export async function runFiles(
  files: readonly string[],
  { outcomes, args = [], env = {} }: { outcomes: string; args?: readonly string[]; env?: Environment },
): Promise<{ code: number; interrupted: NodeJS.Signals | undefined }> {
  const runner = spawn(
    process.execPath,
    [
      '--test',
      ...args,
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      `--test-reporter=${path.join(ROOT, 'test/support/reporter.ts')}`,
      `--test-reporter-destination=${outcomes}`,
      ...files.map((file) => path.join(ROOT, file)),
    ],
    {
      cwd: ROOT,
      env: { ...testEnvironment(process.env), ...env },
      // A group of its own, so that an interrupt reaches the test that runs, and only once.
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  )
  let interrupted: NodeJS.Signals | undefined
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      interrupted = signal
      signalGroup(runner, 'SIGINT')
      setTimeout(() => signalGroup(runner, 'SIGKILL'), INTERRUPT_GRACE_MS).unref()
    })
  }
  const [code] = await once(runner, 'exit')
  // An interrupted runner does not wait for the tests, which take away what they have made.
  const deadline = Date.now() + INTERRUPT_GRACE_MS
  while (signalGroup(runner, Date.now() > deadline ? 'SIGKILL' : 0)) await sleep(100)
  return { code: code ?? 1, interrupted }
}

/** @returns whether there is anybody left in it */
function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals | 0): boolean {
  try {
    return pid !== undefined && process.kill(-pid, signal)
  } catch {
    return false
  }
}
