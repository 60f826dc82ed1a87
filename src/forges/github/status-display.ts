import { messageOf } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import type { StatusDisplay } from '../forge.ts'
import { showCheckRun } from './check-run.ts'
import type { GitHubClient } from './client.ts'
import { findPlace, isPermanent } from './pull-request-place.ts'
import { putNotice } from './summary-comment.ts'

/**
 * Shows how a review fares as a check run. Where there can be none (GitHub keeps them for Apps, with the
 * permission), what people have to know is said in the one comment instead, until the next review rewrites it.
 * What GitHub refuses for good is logged, and counts as shown.
 *
 * @throws KodusError what may pass: trying again can help
 */
export function createStatusDisplay({
  client,
  markerKey,
  log,
}: {
  client: GitHubClient
  markerKey: Buffer
  log: Log
}): StatusDisplay {
  return {
    async show(request, job, status, signal) {
      const tolerant = async (what: string, work: () => Promise<boolean>): Promise<boolean> => {
        try {
          return await work()
        } catch (error) {
          signal.throwIfAborted()
          if (!isPermanent(error)) throw error
          log.warn({ jobId: job.jobId }, `could not show ${what}: ${messageOf(error)}`)
          return false
        }
      }
      const isShown = await tolerant('the check run', () =>
        showCheckRun(client, request, job, status, signal),
      )
      if (isShown || status.state !== 'ended' || !status.failed) return
      await tolerant('what people have to know', async () => {
        const place = await findPlace({ client, markerKey }, request, signal)
        await putNotice(place, `\`${request.head.slice(0, 7)}\`: ${status.verdict.summary}`)
        return true
      })
    },
  }
}
