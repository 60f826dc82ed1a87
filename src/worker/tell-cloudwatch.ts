import type { Log } from '../lib/log.ts'
import { type Repeated, repeat } from '../lib/repeat.ts'
import { embeddedMetrics } from '../lib/telemetry/embedded-metrics.ts'
import type { RunningLimits } from '../store/choose-fairly.ts'
import { countJobsForWorkers } from '../store/count-jobs-for-workers.ts'
import type { Database } from '../store/database.ts'
import { measureBacklog } from '../store/measure-backlog.ts'

export interface TellCloudWatchOptions {
  db: Database
  /** Of this worker. */
  slots: number
  limits: RunningLimits
  /** The dimension that tells installations in one account apart. */
  environment: string
  log: Log
  everyMs?: number
}

const MINUTE_MS = 60_000

/**
 * Writes what scaling and alarms go by into the log, once in each minute of the clock: CloudWatch counts by those, so
 * that the sum of WorkerSlots over one is that of all workers. Every worker says the same of the jobs.
 *
 * While the database does not answer nothing is said. What is missing raises an alarm; a zero would take workers away.
 */
export function tellCloudWatch(options: TellCloudWatchOptions): Repeated {
  const { db, slots, limits, environment, everyMs = 5_000 } = options
  // Whatever LOG_LEVEL says: these lines are no messages.
  const log = options.log.child({}, { level: 'info' })
  let toldMinute: number | undefined

  const tell = async (): Promise<void> => {
    if (minuteOf(new Date()) === toldMinute) return
    const [backlog, forWorkers] = await Promise.all([measureBacklog(db), countJobsForWorkers(db, limits)])
    const at = new Date()
    toldMinute = minuteOf(at)
    const fields = embeddedMetrics({
      namespace: 'Kodus',
      dimensions: { Environment: environment },
      metrics: {
        // Without what a limit or an operator keeps waiting, which more workers would not run either.
        ClaimableJobs: { value: forWorkers, unit: 'Count' },
        RunningJobs: { value: backlog.running, unit: 'Count' },
        OldestClaimableJobSeconds: { value: backlog.oldestClaimableSeconds, unit: 'Seconds' },
        DeadLetters: { value: backlog.deadLetters, unit: 'Count' },
        WorkerSlots: { value: slots, unit: 'Count' },
      },
      at,
    })
    log.info(fields, 'metrics for CloudWatch')
  }
  return repeat('no metrics for CloudWatch', everyMs, tell, options.log)
}

function minuteOf(at: Date): number {
  return Math.floor(at.getTime() / MINUTE_MS)
}
