import type { Forge, ReviewStatus } from '../forges/forge.ts'
import { messageOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { within } from '../lib/within.ts'
import type { JobOf } from '../store/transition-job.ts'

/** Between two updates of one display, so that nobody's rate limit is spent on it. */
const EVERY_MS = 5_000

const TIMEOUT_MS = 10_000

/** The one display of a review at its forge. Nobody's review depends on it. */
export interface StatusLine {
  /** Shows how far the review is, while it goes on; not more often than every five seconds. A failure is logged. */
  running(stage: string, percent: number): void
  /** Resolves when nothing is on its way to the forge any more, within ten seconds. */
  settled(): Promise<void>
  /**
   * Shows what comes of the review, after whatever is still on its way. Twenty seconds at most.
   *
   * @throws why the forge does not show it now
   */
  end(status: ReviewStatus): Promise<void>
  /** Whether this attempt has shown anything. */
  hasShown(): boolean
}

/** Does nothing where the forge has no place for it, or the operator does not want this repository worked for. */
export function createStatusLine(
  forge: Forge,
  job: JobOf<'code-review'>,
  log: Log,
  everyMs = EVERY_MS,
): StatusLine {
  const { payload: request } = job
  const isAllowed = forge.pullRequests?.isAllowed(request.repository) ?? true
  const display = isAllowed ? forge.status : undefined
  let onItsWay: Promise<void> | undefined
  let lastAt = Number.NEGATIVE_INFINITY
  let shown = false

  const show = async (status: ReviewStatus): Promise<void> => {
    if (!display) return
    shown = true
    lastAt = performance.now()
    // Not the attempt's signal: what comes of an attempt is shown when that has been aborted.
    const showing = display.show(
      request,
      { jobId: job.id, run: job.run },
      status,
      AbortSignal.timeout(TIMEOUT_MS),
    )
    await within(TIMEOUT_MS, showing, 'the forge did not answer')
  }

  return {
    running(stage, percent) {
      if (onItsWay || performance.now() - lastAt < everyMs) return
      onItsWay = show({ state: 'running', stage, percent })
        .catch((error) => log.warn(`the stage ${stage} is not shown at the forge: ${messageOf(error)}`))
        .finally(() => (onItsWay = undefined))
    },
    settled: async () => onItsWay,
    async end(status) {
      await onItsWay
      await show(status)
    },
    hasShown: () => shown,
  }
}
