/** A line of a hunk. Line numbers are 1-based; a side the line does not exist on has none. */
export interface HunkLine {
  kind: 'context' | 'added' | 'removed'
  text: string
  oldLine?: number
  newLine?: number
}

/** A run of changed lines with their context, as in a unified diff. */
export interface Hunk {
  oldStart: number
  newStart: number
  /** What git prints behind `@@`: usually the enclosing function. */
  section: string
  lines: HunkLine[]
}

export interface ChangedFile {
  /** Path at head (for a deleted file: at base), with `/` separators, relative to the repository. */
  path: string
  /** Path at base, where it differs. */
  previousPath?: string
  status: 'added' | 'modified' | 'renamed' | 'deleted'
  kind: 'text' | 'binary' | 'symlink' | 'submodule'
  hunks: Hunk[]
}

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
}

/** The numbers of the lines that the change added or rewrote, in the file at head. */
export function touchedLines(file: ChangedFile): Set<number> {
  const touched = new Set<number>()
  for (const hunk of file.hunks) {
    for (const line of hunk.lines) if (line.kind === 'added' && line.newLine) touched.add(line.newLine)
  }
  return touched
}
