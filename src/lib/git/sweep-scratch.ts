import { lstat, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { scratchOwner, scratchRoot } from './scratch-name.ts'
import type { GitSettings } from './settings.ts'

/**
 * A scratch repository younger than this is left alone: git processes that outlived their owner may still
 * write to it, and are stopped by nothing but their own end.
 */
const MIN_AGE_MS = 5 * 60_000

/**
 * Removes the scratch repositories of processes that were killed before they could do so themselves: those
 * made on this machine, under this account, by a process that is gone. What cannot be removed stays.
 *
 * @returns how many were removed
 */
export async function sweepScratch(settings: GitSettings): Promise<number> {
  const root = scratchRoot(settings)
  const names = await readdir(root).catch(() => [])
  const swept = await Promise.all(names.map((name) => sweepOne(join(root, name), scratchOwner(name))))
  return swept.filter(Boolean).length
}

async function sweepOne(directory: string, owner: number | undefined): Promise<boolean> {
  if (owner === undefined) return false
  try {
    const stats = await lstat(directory)
    if (!stats.isDirectory() || stats.uid !== (process.getuid?.() ?? stats.uid)) return false
    if (Date.now() - stats.mtimeMs < MIN_AGE_MS || !isGone(owner, stats.mtimeMs)) return false
    await rm(directory, { recursive: true, force: true, maxRetries: 3 })
    return true
  } catch {
    // Another worker was faster, or it is not ours to remove after all.
    return false
  }
}

/** Whether no process of that id is left that could have made a directory last changed at `changedAtMs`. */
function isGone(pid: number, changedAtMs: number): boolean {
  // A restarted container gives its processes the same ids again: what is older than us is not ours.
  if (pid === process.pid) return changedAtMs < Date.now() - process.uptime() * 1000
  // 0 would ask for our own process group, and 1 is always there.
  if (pid <= 1) return false
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}
