import { setTimeout as sleep } from 'node:timers/promises'
import type { GitHubConfig } from '../forges/github/config.ts'
import type { GitHubForgeOptions } from '../forges/github/index.ts'
import { messageOf } from '../lib/errors.ts'
import { readGitSettings } from '../lib/git/config.ts'
import { openMirrorCache } from '../lib/git/mirror-cache.ts'
import type { Log } from '../lib/log.ts'
import type { Database } from '../store/database.ts'
import { installationKey } from '../store/installation-key.ts'

const RETRY_MS = 1_000

/**
 * Acquires what GitHub needs beside its credentials: the key behind the markers in what we post, and the
 * mirrors of its repositories, which the caller closes. Waits for the database as long as it takes.
 *
 * @returns undefined when the worker was asked to stop meanwhile
 * @throws KodusError GIT_CACHE_UNUSABLE
 */
export async function openGitHub(
  config: GitHubConfig,
  cache: { directory: string; maxBytes: number },
  { db, log, stopping }: { db: Database; log: Log; stopping: AbortSignal },
): Promise<GitHubForgeOptions | undefined> {
  const markerKey = await patientKey(db, log, stopping)
  if (!markerKey) return undefined
  const gitSettings = readGitSettings()
  const mirrors = await openMirrorCache({ ...cache, settings: gitSettings, log })
  return { config, markerKey, mirrors, gitSettings, log }
}

async function patientKey(db: Database, log: Log, stopping: AbortSignal): Promise<Buffer | undefined> {
  while (!stopping.aborted) {
    try {
      return await installationKey(db, 'markers')
    } catch (error) {
      log.warn(`cannot read the key of the markers, trying on: ${messageOf(error)}`)
      await sleep(RETRY_MS, undefined, { signal: stopping }).catch(() => {})
    }
  }
  return undefined
}
