import type { Change, ChangedFile, Hunk } from '../../src/forges/change.ts'

/** A changed file and its text at head. */
export interface MarkedFile {
  file: ChangedFile
  path: string
  text: string
}

/**
 * A change to one file, written down as a diff: each line begins with `+`, `-`, a space (context), or `.` for
 * a line between hunks, which the diff does not show.
 */
export function markedFile(path: string, marked: string): MarkedFile {
  const hunks: Hunk[] = []
  const head: string[] = []
  let oldLine = 0
  let open = false
  for (const line of marked.split('\n')) {
    const [mark, text] = [line[0], line.slice(1)]
    if (mark !== '-') head.push(text)
    if (mark !== '+') oldLine++
    const newLine = head.length
    if (mark === '.') {
      open = false
      continue
    }
    if (!open) hunks.push({ oldStart: oldLine, newStart: newLine, section: '', lines: [] })
    open = true
    const hunk = hunks.at(-1)
    if (mark === '+') hunk?.lines.push({ kind: 'added', text, newLine })
    else if (mark === '-') hunk?.lines.push({ kind: 'removed', text, oldLine })
    else hunk?.lines.push({ kind: 'context', text, oldLine, newLine })
  }
  return { path, text: head.join('\n'), file: { path, status: 'modified', kind: 'text', hunks } }
}

export function markedChange(files: readonly MarkedFile[], rest: Partial<Change> = {}): Change {
  return {
    repository: '/srv/git/shop',
    base: 'b'.repeat(40),
    head: 'a'.repeat(40),
    mergeBase: 'b'.repeat(40),
    title: 'Pay by card',
    description: '',
    files: files.map(({ file }) => file),
    fetchedBytes: 0,
    ...rest,
  }
}
