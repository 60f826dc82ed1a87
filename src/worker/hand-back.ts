import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../lib/log.ts'
import type { Attempt } from './attempt.ts'

/** How long an aborted attempt may take to write its hand-back. */
const HAND_BACK_MS = 4_000

/** What a worker has taken: jobs in hand, from their message on, and those of them that run. */
export interface Work {
  inHand: ReadonlySet<Promise<unknown>>
  attempts: ReadonlySet<Attempt>
}

/** Lets what is in hand finish until the grace period is over, then has the rest handed back to the queue. */
export async function handBack(work: Work, graceMs: number, log: Log): Promise<void> {
  if (await settled(work, graceMs)) return
  log.info(`handing back ${work.attempts.size} running reviews`)
  for (const attempt of work.attempts) attempt.stop('worker-stops')
  if (!(await settled(work, HAND_BACK_MS))) {
    log.warn(`${work.attempts.size} reviews did not stop in time; their leases will lapse`)
  }
}

async function settled({ inHand }: Work, withinMs: number): Promise<boolean> {
  const limit = sleep(withinMs, false, { ref: false })
  return Promise.race([Promise.allSettled(inHand).then(() => true), limit])
}
