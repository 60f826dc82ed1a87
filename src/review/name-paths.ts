import type { Note } from './review.ts'

/** Names that a note can carry without becoming the review. */
const MAX_NAMES = 20

/** Some paths, for a note: the first of them by name, and how many there are besides. */
export function namePaths(paths: readonly string[]): string {
  const named = paths.slice(0, MAX_NAMES).join(', ')
  return paths.length > MAX_NAMES ? `${named} and ${paths.length - MAX_NAMES} more files` : named
}

/** Files that were left out of something, and why, as one note a reason. */
export function notesByReason(left: readonly { path: string; reason: string }[]): Note[] {
  const paths = new Map<string, string[]>()
  for (const { path, reason } of left) {
    const others = paths.get(reason)
    if (others) others.push(path)
    else paths.set(reason, [path])
  }
  return [...paths].map(([reason, all]) => ({ about: namePaths(all), reason }))
}
