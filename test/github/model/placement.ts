import { findPosition, followLine } from './diff.ts'
import type { Place, State, ThreadRecord } from './state.ts'

/** Where a thread stands in the pull request's diff of today. */
export interface CurrentPlace {
  position: number | null
  line: number | null
  startLine: number | null
  outdated: boolean
}

const NOWHERE: CurrentPlace = { position: null, line: null, startLine: null, outdated: true }

/** Follows a thread's lines through what was pushed since. */
export function placeNow(state: State, thread: ThreadRecord): CurrentPlace {
  const { place, pull } = thread
  const file = state.diff(pull).find(({ path }) => path === place.path)
  if (!file) return NOWHERE
  if (place.line === undefined) return { ...NOWHERE, outdated: false }
  const line = follow(thread, place, place.line, place.side)
  const startLine =
    place.startLine === undefined
      ? undefined
      : follow(thread, place, place.startLine, place.startSide ?? place.side)
  const found = line === undefined || !file.patch ? undefined : findPosition(file.patch, place.side, line)
  if (!found || line === undefined || (place.startLine !== undefined && startLine === undefined))
    return NOWHERE
  return { position: found.position, line, startLine: startLine ?? null, outdated: false }
}

/** Lines on the left are the base's, which pushes leave alone. */
function follow(thread: ThreadRecord, place: Place, line: number, side: string): number | undefined {
  if (side === 'LEFT') return line
  const { directory } = thread.pull.repository
  return followLine(directory, { from: place.commit, to: thread.pull.head.sha, path: place.path, line })
}
