import { printable } from '../../review/printable.ts'
import type { Database } from '../../store/database.ts'
import type { JobView } from '../../store/get-job.ts'
import type { DeadLetter } from '../../store/list-dead-letters.ts'
import { collect, type DeadFilter, deadJobs, deadLetters } from './dead-work.ts'

const LETTER_HELP =
  'No build that runs here can read it: find the sender; replay after an upgrade, or discard.'

export interface ListOptions extends DeadFilter {
  limit: number
  json?: boolean
}

/** Prints what has failed and was not put aside: jobs, then messages that nobody could read. */
export async function listDead(db: Database, { limit, json, ...filter }: ListOptions): Promise<void> {
  // One more than is shown, to tell whether there are more.
  const jobs = await collect(deadJobs(db, filter, limit + 1))
  const letters = await collect(deadLetters(db, filter, limit + 1))
  const shownJobs = jobs.slice(0, limit)
  const shownLetters = letters.slice(0, limit)
  if (json) {
    const document = { jobs: shownJobs.map(jobFacts), deadLetters: shownLetters.map(letterFacts) }
    return console.log(JSON.stringify(document, null, 2))
  }
  for (const job of shownJobs) printJob(jobFacts(job))
  for (const letter of shownLetters) printLetter(letterFacts(letter))
  if (jobs.length === 0 && letters.length === 0)
    return console.log('Nothing has failed that is not done with.')
  if (jobs.length > limit || letters.length > limit)
    console.log(`There are more: --limit shows more than ${limit}.`)
  console.log(
    '\nkodus jobs replay <id…> tries again, kodus jobs discard <id…> puts aside; --all takes all of them.',
  )
}

function jobFacts({ id, type, repository, pullRequest, attempts, error, finishedAt, createdAt }: JobView) {
  const { code = 'UNKNOWN', message = 'No reason was recorded.', help = '' } = error ?? {}
  return {
    id,
    type,
    repository,
    pullRequest,
    attempts,
    failedAt: (finishedAt ?? createdAt).toISOString(),
    code,
    message,
    help,
  }
}

function letterFacts({ beginning, receivedAt, ...letter }: DeadLetter) {
  const excerpt = printable(beginning.toString())
  return { ...letter, receivedAt: receivedAt.toISOString(), excerpt, help: LETTER_HELP }
}

function printJob(job: ReturnType<typeof jobFacts>): void {
  const place = job.pullRequest === null ? job.repository : `${job.repository}#${job.pullRequest}`
  console.log(
    [job.id, short(job.failedAt), job.type, place, `${job.code}: ${job.message}`].map(printable).join('  '),
  )
  if (job.help) console.log(`    ${printable(job.help)}`)
}

function printLetter(letter: ReturnType<typeof letterFacts>): void {
  const { id, receivedAt, queue, reason, bytes, excerpt, help } = letter
  console.log(
    [id, short(receivedAt), `message of ${queue}`, reason, `${bytes} bytes`].map(printable).join('  '),
  )
  console.log(`    ${excerpt || '(empty)'}`)
  console.log(`    ${help}`)
}

function short(moment: string): string {
  return moment.slice(0, 16).replace('T', ' ')
}
