import type { Database } from '../../store/database.ts'
import type { JobView } from '../../store/get-job.ts'
import { type DeadLetter, listDeadLetters } from '../../store/list-dead-letters.ts'
import { listJobs } from '../../store/list-jobs.ts'

const PAGE = 100

/** Which failed jobs are meant. A dead letter has no code and no repository: with either, none is meant. */
export interface DeadFilter {
  code?: string
  repository?: string
}

/** Failed jobs that nobody has discarded, newest first: at most `limit`. */
export async function* deadJobs(db: Database, filter: DeadFilter, limit: number): AsyncGenerator<JobView> {
  let after: Awaited<ReturnType<typeof listJobs>>['next']
  let left = limit
  do {
    const page = await listJobs(db, { filter: { ...filter, dead: true }, after, limit: Math.min(left, PAGE) })
    yield* page.jobs
    left -= page.jobs.length
    after = page.next
  } while (after && left > 0)
}

/** Open dead letters, newest first: at most `limit`. */
export async function* deadLetters(
  db: Database,
  { code, repository }: DeadFilter,
  limit: number,
): AsyncGenerator<DeadLetter> {
  if (code !== undefined || repository !== undefined) return
  let before: string | undefined
  let left = limit
  do {
    const page = await listDeadLetters(db, { before, limit: Math.min(left, PAGE) })
    yield* page.letters
    left -= page.letters.length
    before = page.next
  } while (before && left > 0)
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = []
  for await (const item of items) all.push(item)
  return all
}
