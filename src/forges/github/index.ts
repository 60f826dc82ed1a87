import type { MirrorCache } from '../../lib/git/mirror-cache.ts'
import type { GitSettings } from '../../lib/git/settings.ts'
import type { Log } from '../../lib/log.ts'
import type { Forge } from '../forge.ts'
import { createGitHubClient } from './client.ts'
import type { GitHubConfig } from './config.ts'
import { createGitHubConversation } from './conversation.ts'
import { createGitHubPoster } from './post-review.ts'
import { createPullRequests } from './pull-requests.ts'
import { createGitHubReader } from './read-change.ts'
import { createStatusDisplay } from './status-display.ts'

export interface GitHubForgeOptions {
  config: GitHubConfig
  /** Authenticates the hidden markers in what we post, so that nobody else can forge one. */
  markerKey: Buffer
  /** Repositories as they were last fetched, shared by all jobs of this worker. */
  mirrors: MirrorCache
  gitSettings: GitSettings
  log: Log
}

export function createGitHubForge({
  config,
  markerKey,
  mirrors,
  gitSettings,
  log,
}: GitHubForgeOptions): Forge {
  const client = createGitHubClient(config, { log })
  return {
    reader: createGitHubReader({ client, config, mirrors, settings: gitSettings }),
    poster: createGitHubPoster({ client, markerKey, log }),
    pullRequests: createPullRequests({ client, config }),
    status: createStatusDisplay({ client, markerKey, log }),
    conversation: createGitHubConversation({ client, markerKey }),
  }
}
