import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { ComponentType } from '../../src/components.ts'
import type { Moments } from '../../src/lib/moments.ts'

/** What happens to a process, and when. */
export interface Strike {
  at: keyof Moments
  signal: 'SIGKILL' | 'SIGSTOP'
  /** Only a component of this type. */
  component?: ComponentType
  /** Only a worker with one slot, while it runs a job of this repository. */
  repository?: string
}

export interface ArmedStrike {
  /** Resolves when a process was hit by it. @returns its pid */
  struck(): Promise<number>
}

export interface Strikes {
  /** For the components that may be hit. */
  env: Record<string, string>
  /** The next process that reaches the moment is hit, as it reaches it: it does nothing more. */
  arm(strike: Strike): ArmedStrike
}

export const DIRECTORY_VARIABLE = 'KODUS_TEST_STRIKES'
export const ARMED = 'armed'
export const STRUCK = 'struck'

const PRELOAD = new URL('./strike-preload.ts', import.meta.url)

/** Far longer than anything takes here. */
const LIMIT_MS = 120_000

/** Strikes for the components of a test: they stand in files, so that every process sees them at once. */
export function prepareStrikes(t: TestContext): Strikes {
  const directory = mkdtempSync(path.join(tmpdir(), 'kodus-strikes-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  for (const name of [ARMED, STRUCK]) mkdirSync(path.join(directory, name))
  let count = 0
  return {
    env: { NODE_OPTIONS: `--import=${fileURLToPath(PRELOAD)}`, [DIRECTORY_VARIABLE]: directory },
    arm(strike) {
      count += 1
      const name = String(count)
      // Whole, when it is seen.
      const written = path.join(directory, name)
      writeFileSync(written, JSON.stringify(strike))
      renameSync(written, path.join(directory, ARMED, name))
      return { struck: () => pidIn(path.join(directory, STRUCK, name), strike) }
    },
  }
}

async function pidIn(file: string, strike: Strike): Promise<number> {
  for (const limit = performance.now() + LIMIT_MS; performance.now() < limit; await sleep(20)) {
    try {
      const pid = Number(readFileSync(file, 'utf8'))
      if (pid > 0) return pid
    } catch {
      // Not yet.
    }
  }
  throw new Error(`nothing was hit by ${JSON.stringify(strike)} in ${LIMIT_MS / 1000} s`)
}
