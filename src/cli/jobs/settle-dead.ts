import { replayDeadLetter, settledBefore } from '../../jobs/replay-dead-letter.ts'
import { KodusError } from '../../lib/errors.ts'
import { printable } from '../../review/printable.ts'
import { announceJobs } from '../../store/announce-jobs.ts'
import type { Database } from '../../store/database.ts'
import { discardJob } from '../../store/discard-job.ts'
import { getDeadLetter } from '../../store/get-dead-letter.ts'
import { getJob } from '../../store/get-job.ts'
import { settleDeadLetter } from '../../store/settle-dead-letter.ts'
import { transitionJob } from '../../store/transition-job.ts'
import { EXIT_FAILED } from '../failure.ts'
import { type DeadFilter, deadJobs, deadLetters } from './dead-work.ts'
import { operator } from './operator.ts'

/** What is done with dead work. @returns what was done, as a sentence. @throws KodusError why it was not */
interface Action {
  job(db: Database, id: string): Promise<string>
  letter(db: Database, id: string): Promise<string>
}

export const REPLAY: Action = {
  async job(db, jobId) {
    const replayed = await transitionJob(db, 'replay', {
      jobId,
      actor: operator(),
      reason: 'replayed by hand',
    })
    if (!replayed) throw await notPossible(db, jobId, 'JOB_NOT_REPLAYABLE', 'FAILED or CANCELLED')
    return `replayed, as run ${replayed.run}`
  },
  async letter(db, id) {
    const replayed = await replayDeadLetter(db, { id, actor: operator() })
    if (!replayed) throw letterUnknown(id)
    return replayed.jobId === null ? replayed.did : `${replayed.did} (${replayed.jobId})`
  },
}

export const DISCARD: Action = {
  async job(db, jobId) {
    if (!(await discardJob(db, { jobId, actor: operator(), reason: 'discarded by hand' })))
      throw await notPossible(db, jobId, 'JOB_NOT_DISCARDABLE', 'FAILED, and not discarded')
    return 'discarded'
  },
  async letter(db, id) {
    if (!(await settleDeadLetter(db, { id, outcome: 'discarded', actor: operator() })))
      throw (await getDeadLetter(db, id)) ? settledBefore(id) : letterUnknown(id)
    return 'discarded'
  },
}

/**
 * Does it for these ids (a job's is a UUID, a dead letter's a number), or for all that `kodus jobs dead` lists. What
 * cannot be done is said, the rest is done, and the exit code tells.
 *
 * @throws KodusError DEAD_WORK_UNNAMED, before anything is done
 */
export async function settleDead(
  db: Database,
  action: Action,
  ids: readonly string[],
  { all = false, ...filter }: DeadFilter & { all?: boolean },
): Promise<void> {
  const filtered = filter.code !== undefined || filter.repository !== undefined
  if (all ? ids.length > 0 : ids.length === 0 || filtered) {
    throw new KodusError('DEAD_WORK_UNNAMED', 'It is not clear which jobs are meant.', {
      help: 'Name their ids, or say --all, which --code and --repository narrow.',
    })
  }
  let met = 0
  let failed = 0
  for await (const id of all ? everyId(db, filter) : ids) {
    met += 1
    try {
      console.log(`${id}  ${printable(await actOn(db, action, id))}`)
    } catch (error) {
      if (!(error instanceof KodusError)) throw error
      console.error(`${printable(id)}  ${error.code}: ${printable(error.message)} ${error.help}`)
      failed += 1
    }
  }
  if (met === 0) return console.log('Nothing matches.')
  await announceJobs(db)
  if (failed > 0) process.exitCode = EXIT_FAILED
}

async function* everyId(db: Database, filter: DeadFilter): AsyncGenerator<string> {
  for await (const { id } of deadJobs(db, filter, Number.POSITIVE_INFINITY)) yield id
  for await (const { id } of deadLetters(db, filter, Number.POSITIVE_INFINITY)) yield id
}

async function actOn(db: Database, action: Action, id: string): Promise<string> {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) return await action.job(db, id.toLowerCase())
  // 18 digits are below PostgreSQL's bigint.
  if (/^\d{1,18}$/.test(id)) return await action.letter(db, id)
  throw new KodusError('ID_INVALID', 'This is the id of neither a job nor a dead letter.', {
    help: '`kodus jobs dead` shows the ids.',
  })
}

async function notPossible(db: Database, jobId: string, code: string, allowed: string): Promise<KodusError> {
  const job = await getJob(db, jobId)
  if (!job) {
    return new KodusError('JOB_UNKNOWN', `There is no job ${jobId}.`, {
      help: '`kodus jobs dead` shows the ids.',
    })
  }
  const state = job.discardedAt ? `${job.status}, and discarded` : job.status
  return new KodusError(code, `The job is ${state}.`, { help: `It has to be ${allowed}.` })
}

function letterUnknown(id: string): KodusError {
  return new KodusError('DEAD_LETTER_UNKNOWN', `There is no dead letter ${id}.`, {
    help: '`kodus jobs dead` shows the ids.',
  })
}
