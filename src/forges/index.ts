import type { ForgeName } from '../jobs/review-request.ts'
import { KodusError } from '../lib/errors.ts'
import type { GitCredential } from '../lib/git/settings.ts'
import type { Forge } from './forge.ts'
import { createGitForge } from './git/index.ts'
import { createGitHubForge, type GitHubForgeOptions } from './github/index.ts'

export interface ForgeOptions {
  /** Directories below which a repository may be named by path. */
  repositoryRoots: string[]
  gitProtocols: string[]
  /** The only hosts that are read. Absent or empty: any but this machine and its network link. */
  gitAllowedHosts?: string[]
  gitCredentials: GitCredential[]
  /** Absent: no credentials for GitHub are configured. */
  github?: GitHubForgeOptions | undefined
}

/**
 * The forges that this installation can read changes from and post reviews to. One that is missing here may
 * still be ingested (`webhooks.ts`): its jobs fail with `forgeNotSupported` and wait to be replayed.
 */
export function createForges(options: ForgeOptions): Partial<Record<ForgeName, Forge>> {
  return {
    git: createGitForge({
      roots: options.repositoryRoots,
      allowedProtocols: options.gitProtocols,
      allowedHosts: options.gitAllowedHosts,
      credentials: options.gitCredentials,
    }),
    ...(options.github ? { github: createGitHubForge(options.github) } : {}),
  }
}

const MISSING: Readonly<Record<ForgeName, string>> = {
  git: 'The webhook is kept: deploy a worker that supports the forge, then replay the job.',
  github:
    'Set GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY_FILE, or GITHUB_TOKEN, or run `kodus setup github`; restart the worker, then replay the job. The webhook is kept.',
}

/** Why a job of a forge that `createForges` left out cannot run, and what to do about it. */
export function forgeNotSupported(forge: ForgeName): KodusError {
  return new KodusError('FORGE_NOT_SUPPORTED', `This worker has no access to ${forge}: none is configured.`, {
    help: MISSING[forge],
  })
}
