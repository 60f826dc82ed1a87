import type { ForgeName } from '../jobs/review-request.ts'
import type { GitCredential } from '../lib/git/settings.ts'
import type { Forge } from './forge.ts'
import { createGitForge } from './git/index.ts'

export interface ForgeOptions {
  /** Directories below which a repository may be named by path. */
  repositoryRoots: string[]
  gitProtocols: string[]
  /** The only hosts that are read. Absent or empty: any but this machine and its network link. */
  gitAllowedHosts?: string[]
  gitCredentials: GitCredential[]
}

/**
 * The forges this build can read changes from and post reviews to. One that is missing here may still be
 * ingested (`webhooks.ts`): its jobs fail with a reason and wait to be replayed.
 */
export function createForges(options: ForgeOptions): Partial<Record<ForgeName, Forge>> {
  return {
    git: createGitForge({
      roots: options.repositoryRoots,
      allowedProtocols: options.gitProtocols,
      allowedHosts: options.gitAllowedHosts,
      credentials: options.gitCredentials,
    }),
  }
}
