import { KodusError } from '../lib/errors.ts'
import { announceJobs } from '../store/announce-jobs.ts'
import type { Database } from '../store/database.ts'
import { getDeadLetter } from '../store/get-dead-letter.ts'
import { hastenJob } from '../store/hasten-job.ts'
import { isDataError } from '../store/outages.ts'
import { recordDeliveries } from '../store/record-deliveries.ts'
import { settleDeadLetter } from '../store/settle-dead-letter.ts'
import { parseDelivery, parseJobMessage } from './parse-message.ts'

/** What became of a dead letter that this build can read. */
export interface ReplayedLetter {
  /** The job that it asked for, or that it announced; null where it asked for none. */
  jobId: string | null
  /** What was done, as a sentence. */
  did: string
}

/**
 * Hands a dead letter to where it belongs, if this build can read it: a delivery is recorded, a job that a message
 * announced is published again. Twice is once.
 *
 * @returns undefined when there is no dead letter of this id
 * @throws KodusError DEAD_LETTER_SETTLED, DEAD_LETTER_UNREADABLE, DELIVERY_REFUSED or JOB_UNKNOWN: it then stays
 *   as it is
 */
export async function replayDeadLetter(
  db: Database,
  { id, actor }: { id: string; actor: string },
): Promise<ReplayedLetter | undefined> {
  const letter = await getDeadLetter(db, id)
  if (!letter) return undefined
  if (letter.settledAt) throw settledBefore(id)
  const replayed = (await replayDelivery(db, letter.body)) ?? (await replayJobMessage(db, letter.body))
  if (!replayed) {
    throw new KodusError('DEAD_LETTER_UNREADABLE', `This build cannot read the message of ${id}.`, {
      help: 'Find out who sent it. Replay it after an upgrade if a newer build can read it; else discard it.',
    })
  }
  await settleDeadLetter(db, { id, outcome: 'replayed', actor })
  await announceJobs(db)
  return replayed
}

export function settledBefore(id: string): KodusError {
  return new KodusError('DEAD_LETTER_SETTLED', `Somebody has replayed or discarded ${id} already.`, {
    help: '`kodus jobs dead` lists those that are open.',
  })
}

async function replayDelivery(db: Database, body: Buffer): Promise<ReplayedLetter | undefined> {
  const delivery = parseDelivery(body)
  if (!delivery) return undefined
  // Due at once: nobody publishes it here, but whoever looks for what is due.
  const recorded = await recordDeliveries(db, [delivery], 0).catch((cause: unknown) => {
    if (!isDataError(cause)) throw cause
    throw new KodusError('DELIVERY_REFUSED', 'PostgreSQL refuses a value in the delivery.', {
      help: 'Replaying it again will not help: have the forge send it again, or discard it.',
      cause,
    })
  })
  const result = recorded.get(delivery.jobId)
  if (!result) return { jobId: null, did: 'recorded: it asks for no job' }
  const { jobId, duplicate, status } = result
  const did = duplicate ? `known already: its job is ${status ?? 'removed'}` : 'recorded as a new job'
  return { jobId, did }
}

/** The row is the truth: all that a message can do for its job is to have it published again. */
async function replayJobMessage(db: Database, body: Buffer): Promise<ReplayedLetter | undefined> {
  const message = parseJobMessage(body)
  if (!message) return undefined
  const { jobId } = message
  const status = await hastenJob(db, jobId)
  if (!status) {
    throw new KodusError('JOB_UNKNOWN', `The message announces the job ${jobId}, and there is none.`, {
      help: 'Discard it: without its row, a message means nothing.',
    })
  }
  const waits = status === 'PENDING' || status === 'RETRYING'
  return { jobId, did: waits ? 'published again' : `nothing to do: the job is ${status}` }
}
