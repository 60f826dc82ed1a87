import { createGitHubClient } from '../forges/github/client.ts'
import type { GitHubConfig } from '../forges/github/config.ts'
import { createGitHubDeliveryLog } from '../forges/github/deliveries.ts'
import { createGitHubEventSource } from '../forges/github/events.ts'
import type { JobQueue } from '../jobs/queue.ts'
import type { Log } from '../lib/log.ts'
import type { DatabasePool } from '../store/database.ts'
import { pollForge } from './poll-forge.ts'
import { watchDeliveries } from './watch-deliveries.ts'

/**
 * Keeps up with what GitHub could not tell us: has failed webhooks sent again or, where none can reach us at
 * all, asks what happened.
 */
export function watchGitHub(
  config: GitHubConfig,
  stores: { db: DatabasePool; queue: JobQueue; log: Log },
): { stop(): Promise<void> } {
  const client = createGitHubClient(config, stores)
  const { pollSeconds, repositories } = config
  if (pollSeconds !== undefined) {
    const events = createGitHubEventSource({ client, config })
    return pollForge('github', events, { ...stores, everySeconds: pollSeconds })
  }
  return watchDeliveries('github', createGitHubDeliveryLog({ client, repositories }), stores)
}
