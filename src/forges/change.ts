import type { ChangedFile } from '../lib/git/list-changes.ts'

export type { ChangedFile } from '../lib/git/list-changes.ts'
export type { Hunk, HunkLine } from '../lib/git/parse-patch.ts'

/** What a pull request changes: the diff from where head left base (the merge base) to head. */
export interface Change {
  repository: string
  /** Commit ids, whatever the request called them. */
  base: string
  head: string
  mergeBase: string
  title: string
  description: string
  files: ChangedFile[]
  /** Bytes of packs that were fetched to read it; 0 where everything was there already. */
  fetchedBytes: number
}

/** The numbers of the lines that the change added or rewrote, in the file at head. */
export function touchedLines(file: ChangedFile): Set<number> {
  const touched = new Set<number>()
  for (const hunk of file.hunks) {
    for (const line of hunk.lines) if (line.kind === 'added' && line.newLine) touched.add(line.newLine)
  }
  return touched
}
