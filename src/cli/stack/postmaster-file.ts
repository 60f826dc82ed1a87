import { readFileSync } from 'node:fs'
import path from 'node:path'
import { inspectProcess } from './inspect-process.ts'

/** What `postmaster.pid` in a data directory says of the server that wrote it. */
export interface PostmasterFile {
  pid: number
  /** Seconds since 1970. */
  startedAt: number
  port: number
}

/**
 * `ours`: that process is the server that wrote the file. `gone`: no such process. `foreign`: the number now
 * belongs to another program. `unknown`: the system does not tell, or what it tells does not fit together.
 */
export type Identity = 'ours' | 'gone' | 'foreign' | 'unknown'

/** Both sides count whole seconds, and Linux rounds the moment it booted. */
const CLOCK_SLACK_SECONDS = 5

/** The content of `postmaster.pid`; undefined when there is none, or none that names a server process. */
export function readPostmasterFile(data: string): PostmasterFile | undefined {
  let lines: string[]
  try {
    lines = readFileSync(path.join(data, 'postmaster.pid'), 'utf8').split('\n')
  } catch {
    return undefined
  }
  const [pid, , startedAt, port] = lines.map(Number)
  // To `kill`, 0 and negative numbers are process groups, and 1 is the system.
  if (!pid || !Number.isInteger(pid) || pid <= 1 || !startedAt || !port) return undefined
  return { pid, startedAt, port }
}

/** Whose process a pid is. Asked before every signal, because numbers are reused; only `ours` may get one. */
export function identify({ pid, startedAt }: PostmasterFile, data: string): Identity {
  const found = inspectProcess(pid)
  if (typeof found === 'string') return found
  if (!found.isServerOf(data)) return 'foreign'
  return Math.abs(found.startedAt - startedAt) <= CLOCK_SLACK_SECONDS ? 'ours' : 'unknown'
}
