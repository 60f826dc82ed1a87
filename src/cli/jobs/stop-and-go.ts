import { printable } from '../../review/printable.ts'
import { countOpen } from '../../store/count-open.ts'
import type { Database } from '../../store/database.ts'
import { findStops, type Stop, type StopName } from '../../store/find-stops.ts'
import { liftStop } from '../../store/lift-stop.ts'
import { putStop } from '../../store/put-stop.ts'
import { operator } from './operator.ts'

const SAYS: Record<StopName, { stopped: string; goesOn: string }> = {
  claiming: {
    stopped: 'Workers take no new jobs. Those that run go on; webhooks are accepted, and wait.',
    goesOn: 'Workers take jobs.',
  },
  posting: {
    stopped: 'Nothing is written to any forge. Reviews that are ready wait, and lose nothing.',
    goesOn: 'Reviews are posted.',
  },
}

export async function stop(db: Database, name: StopName, reason: string | null): Promise<void> {
  await putStop(db, { name, reason, actor: operator() })
  console.log(`${SAYS[name].stopped} Every process heeds it within 10 seconds.`)
}

export async function resume(db: Database, name: StopName): Promise<void> {
  const wasStopped = await liftStop(db, name)
  console.log(wasStopped ? `${SAYS[name].goesOn} What waited is due now.` : `${name} was not stopped.`)
}

/** Prints what is stopped, what waits, and what nobody has looked at. */
export async function showStatus(db: Database): Promise<void> {
  const stops = await findStops(db)
  const { waiting, running, failed, deadLetters } = await countOpen(db)
  for (const name of ['claiming', 'posting'] as const) {
    const stopped = stops.find((each) => each.name === name)
    console.log(`${name.padEnd(13)} ${stopped ? describeStop(stopped) : 'on'}`)
  }
  console.log(`waiting       ${waiting}`)
  console.log(`running       ${running}`)
  console.log(`failed        ${failed}`)
  console.log(`dead letters  ${deadLetters}`)
}

/** Since when, by whom and why: `stopped since 2026-01-31 12:00 by mona (cli): upgrade`. */
export function describeStop({ stoppedAt, actor, reason }: Stop): string {
  const since = stoppedAt.toISOString().slice(0, 16).replace('T', ' ')
  return printable(`stopped since ${since} by ${actor}${reason === null ? '' : `: ${reason}`}`)
}
