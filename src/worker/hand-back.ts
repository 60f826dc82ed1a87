import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../lib/log.ts'
import type { Attempt } from './attempt.ts'

/** How long an aborted attempt may take to write its hand-back. */
const HAND_BACK_MS = 4_000

/** Lets running reviews finish until the grace period is over, then has the rest handed back to the queue. */
export async function handBackAttempts(
  attempts: ReadonlySet<Attempt>,
  graceMs: number,
  log: Log,
): Promise<void> {
  if (await settled(attempts, graceMs)) return
  log.info(`handing back ${attempts.size} running reviews`)
  for (const attempt of attempts) attempt.stop('worker-stops')
  if (!(await settled(attempts, HAND_BACK_MS))) {
    log.warn(`${attempts.size} reviews did not stop in time; their leases will lapse`)
  }
}

async function settled(attempts: ReadonlySet<Attempt>, withinMs: number): Promise<boolean> {
  const end = Date.now() + withinMs
  while (attempts.size > 0 && Date.now() < end) await sleep(50)
  return attempts.size === 0
}
