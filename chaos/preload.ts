// Loaded into every component before its own code.
import { sabotageFromEnvironment } from './sabotage.ts'

/** What the supervisor tells a component, over the channel that Node gives a child. */
export interface ClockShift {
  shiftClockMs: number
}

nameSessions()
shiftClock()
sabotageFromEnvironment()

/** The database then knows which process writes: it is in the name of a session, as it is in a worker's lease. */
function nameSessions(): void {
  const { DATABASE_URL } = process.env
  if (!DATABASE_URL) return
  const url = new URL(DATABASE_URL)
  url.searchParams.set('application_name', `chaos:${process.pid}`)
  process.env.DATABASE_URL = url.href
}

/** Lets the wall clock be moved while the process runs. The monotonic clock goes on, as it does on a machine. */
function shiftClock(): void {
  let shiftMs = 0
  process.on('message', (message: Partial<ClockShift>) => {
    if (typeof message?.shiftClockMs === 'number') shiftMs = message.shiftClockMs
  })
  process.channel?.unref()
  const RealDate = Date
  globalThis.Date = new Proxy(RealDate, {
    construct(target, args, newTarget) {
      const given = args.length === 0 ? [target.now() + shiftMs] : args
      return Reflect.construct(target, given, newTarget)
    },
    apply: (target) => new target(target.now() + shiftMs).toString(),
    get: (target, key) => (key === 'now' ? () => target.now() + shiftMs : Reflect.get(target, key)),
  })
}
