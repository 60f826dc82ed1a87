import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { countLine, countOutcomes, listNotRun } from '../support/count.ts'
import { testEnvironment } from '../support/test-environment.ts'

// `npm run test:aws`: see services.ts. It says as its last line how many passed; where something is missing, what and why
// before that.

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const INTERRUPT_GRACE_MS = 60_000

const directory = mkdtempSync(path.join(tmpdir(), 'kodus-aws-run-'))
const outcomes = path.join(directory, 'outcomes')
const temporary = path.join(directory, 'tmp')
mkdirSync(temporary)
let interrupted: NodeJS.Signals | undefined
try {
  const code = await runTests()
  const count = countOutcomes(outcomes, { missingFails: process.env.CI === 'true' })
  console.log(listNotRun(count, ROOT))
  console.log(countLine(count))
  if (interrupted) process.exitCode = 128 + constants.signals[interrupted]
  else process.exitCode = code || (count.failed > 0 ? 1 : 0)
} finally {
  rmSync(directory, { recursive: true, force: true })
}

async function runTests(): Promise<number> {
  const runner = spawn(
    process.execPath,
    [
      '--test',
      // An interrupted runner would not wait for the process of the test, which takes away what it has made.
      '--test-isolation=none',
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      `--test-reporter=${path.join(ROOT, 'test/support/reporter.ts')}`,
      `--test-reporter-destination=${outcomes}`,
      path.join(ROOT, 'test/aws/services.ts'),
    ],
    {
      cwd: ROOT,
      env: { ...testEnvironment(process.env), TMPDIR: temporary },
      // A group of its own, so that an interrupt reaches the test that runs, and only once.
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  )
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      interrupted = signal
      signalGroup(runner, 'SIGINT')
    })
  }
  const [code] = await once(runner, 'exit')
  const deadline = Date.now() + INTERRUPT_GRACE_MS
  while (signalGroup(runner, Date.now() > deadline ? 'SIGKILL' : 0)) await sleep(100)
  return code ?? 1
}

/** @returns whether there is anybody left in it */
function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals | 0): boolean {
  try {
    return pid !== undefined && process.kill(-pid, signal)
  } catch {
    return false
  }
}
