import { setTimeout as sleep } from 'node:timers/promises'
import { isFinal, type JobStatus } from '../jobs/job.ts'
import { messageOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { Database } from '../store/database.ts'
import { type EventCursor, type JobEvent, listEvents } from '../store/list-events.ts'
import { listStatuses } from '../store/list-statuses.ts'

export interface JobWatcher {
  jobId: string
  /** The last event it knows of; '0' for none. */
  after: string
  onEvent(event: JobEvent): void
  /** Called once, when there is no more to tell: with the job's final state, or null when the watch closes. */
  onEnd(status: JobStatus | null): void
}

export interface JobWatch {
  /** @returns stops telling this watcher; `onEnd` is not called */
  add(watcher: JobWatcher): () => void
  /** Ends every watcher. Resolves when the database is no longer asked. */
  close(): Promise<void>
}

/** How far a watcher has been told. */
interface Seat {
  watcher: JobWatcher
  after: bigint
}

/**
 * One poller for all watchers of this process: two queries a round whatever their number, none while nobody
 * watches, and no connection held in between. Events reach a watcher in order, each once, within about
 * `everyMs`; while the database is away nothing is told, and nothing is lost.
 */
export function watchJobs(db: Database, log: Log, everyMs: number): JobWatch {
  const seats = new Set<Seat>()
  const closing = new AbortController()
  let polling: Promise<void> | undefined
  let lastFailure = ''

  async function poll(): Promise<void> {
    while (seats.size > 0) {
      try {
        await tellAll(db, seats)
        lastFailure = ''
      } catch (error) {
        const message = messageOf(error)
        if (message !== lastFailure) log.warn(`watched jobs cannot be read, trying on: ${message}`)
        lastFailure = message
      }
      await sleep(everyMs, undefined, { signal: closing.signal }).catch(() => {})
    }
    polling = undefined
  }

  return {
    add: (watcher) => {
      if (closing.signal.aborted) {
        watcher.onEnd(null)
        return () => {}
      }
      const seat = { watcher, after: BigInt(watcher.after) }
      seats.add(seat)
      polling ??= poll()
      return () => void seats.delete(seat)
    },
    close: async () => {
      closing.abort()
      const ended = [...seats]
      seats.clear()
      for (const seat of ended) seat.watcher.onEnd(null)
      await polling
    },
  }
}

async function tellAll(db: Database, seats: Set<Seat>): Promise<void> {
  const present = [...seats]
  const cursors = lowestCursors(present)
  // In this order the events are at least as new as the statuses, so that no job can look final before
  // its last event was read.
  const rows = await listStatuses(db, [...cursors.keys()])
  const events = await listEvents(db, [...cursors.values()])

  const statuses = new Map(rows.map((row) => [row.jobId, row.status]))
  const eventsOf = new Map<string, JobEvent[]>(rows.map((row) => [row.jobId, []]))
  for (const event of events) eventsOf.get(event.jobId)?.push(event)
  for (const seat of present) {
    const { jobId } = seat.watcher
    if (!seats.has(seat)) continue
    if (tell(seat, eventsOf.get(jobId) ?? [], statuses.get(jobId))) seats.delete(seat)
  }
}

/** One cursor a job: watchers that are further along skip what they know. */
function lowestCursors(seats: readonly Seat[]): Map<string, EventCursor> {
  const lowest = new Map<string, bigint>()
  for (const { watcher, after } of seats) {
    const known = lowest.get(watcher.jobId)
    if (known === undefined || after < known) lowest.set(watcher.jobId, after)
  }
  return new Map([...lowest].map(([jobId, after]) => [jobId, { jobId, after: String(after) }]))
}

/** @returns whether that was the last there is to tell */
function tell(seat: Seat, events: readonly JobEvent[], status: JobStatus | undefined): boolean {
  const { watcher } = seat
  const news = events.filter((event) => BigInt(event.id) > seat.after)
  for (const event of news) {
    seat.after = BigInt(event.id)
    watcher.onEvent(event)
  }
  if (!status) {
    watcher.onEnd(null)
    return true
  }
  // The row was read before these events were: the next round has its newer state.
  const latest = news.at(-1)
  if (latest && latest.to !== status) return false

  if (!isFinal(status)) return false
  watcher.onEnd(status)
  return true
}
