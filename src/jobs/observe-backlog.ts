import {
  deadLetters,
  jobsClaimable,
  jobsDelayed,
  jobsRunning,
  oldestClaimable,
  outboxLag,
  queueMessages,
  stopped,
} from '../lib/telemetry/catalogue.ts'
import type { Telemetry } from '../lib/telemetry/telemetry.ts'
import type { Database } from '../store/database.ts'
import { measureBacklog } from '../store/measure-backlog.ts'

/** What a component tells of the jobs in the database. Every one that tells it tells the same. */
export function observeBacklog({ observe }: Pick<Telemetry, 'observe'>, db: Database): void {
  observe('the backlog in PostgreSQL', async () => {
    const backlog = await measureBacklog(db)
    const switches = ['claiming', 'posting'].map((what) =>
      stopped.is(backlog.stops.includes(what) ? 1 : 0, { what }),
    )
    return [
      jobsClaimable.is(backlog.claimable, {}),
      jobsDelayed.is(backlog.delayed, {}),
      jobsRunning.is(backlog.running, {}),
      oldestClaimable.is(backlog.oldestClaimableSeconds, {}),
      outboxLag.is(backlog.outboxLagSeconds, {}),
      deadLetters.is(backlog.deadLetters, {}),
      ...switches,
    ]
  })
}

/** What a component tells of the broker's queues, by their names. */
export function observeQueues(
  { observe }: Pick<Telemetry, 'observe'>,
  queues: Readonly<Record<string, () => Promise<number | undefined>>>,
): void {
  for (const [queue, depth] of Object.entries(queues)) {
    observe(`the depth of ${queue}`, async () => {
      const messages = await depth()
      return messages === undefined ? [] : [queueMessages.is(messages, { queue })]
    })
  }
}
