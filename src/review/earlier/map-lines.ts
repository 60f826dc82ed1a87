import type { Hunk } from '../../forges/change.ts'

/** Lines of a file, 1-based, both included. */
export interface LineRange {
  line: number
  endLine: number
}

/**
 * What a diff makes of some lines of the old file. `same`: all of them are there, together, and here.
 * `changed`: some were edited or removed, or something was put between them; here is what is in their place.
 * `gone`: they were removed, and nothing is in their place.
 */
export type MappedRange = ({ state: 'same' | 'changed' } & LineRange) | { state: 'gone' }

export function mapRange(hunks: readonly Hunk[], { line, endLine }: LineRange): MappedRange {
  const kept: number[] = []
  for (let at = line; at <= endLine; at++) {
    const newLine = mapLine(hunks, at)
    if (newLine !== undefined) kept.push(newLine)
  }
  const first = kept[0]
  const last = kept.at(-1)
  const all = kept.length === endLine - line + 1
  if (all && first !== undefined && last !== undefined && last - first === endLine - line) {
    return { state: 'same', line: first, endLine: last }
  }
  const there = [...kept, ...writtenInPlaceOf(hunks, { line, endLine })]
  if (there.length === 0) return { state: 'gone' }
  const [from, to] = [Math.min(...there), Math.max(...there)]
  return { state: 'changed', line: from, endLine: to }
}

/** Where an old line is in the new file; undefined when the diff removes it. */
export function mapLine(hunks: readonly Hunk[], oldLine: number): number | undefined {
  let shift = 0
  for (const hunk of hunks) {
    const numbered = hunk.lines.filter((line) => line.oldLine !== undefined)
    // A hunk without old lines stands behind the old line it is numbered with.
    const first = numbered[0]?.oldLine ?? hunk.oldStart + 1
    if (oldLine < first) break
    const found = numbered.find((line) => line.oldLine === oldLine)
    if (found) return found.newLine
    for (const { kind } of hunk.lines) shift += kind === 'added' ? 1 : kind === 'removed' ? -1 : 0
  }
  return oldLine + shift
}

/** The numbers of the new lines in those runs of edits that remove one of these lines, or come between two of them. */
function writtenInPlaceOf(hunks: readonly Hunk[], { line, endLine }: LineRange): number[] {
  const written: number[] = []
  for (const hunk of hunks) {
    for (const { removed, added, before } of editsOf(hunk)) {
      const removes = removed.some((at) => at >= line && at <= endLine)
      const divides = before >= line && before < endLine
      if (removes || divides) written.push(...added)
    }
  }
  return written
}

interface Edit {
  /** The old line that the edit stands behind. */
  before: number
  removed: number[]
  added: number[]
}

/** The runs of removed and added lines of a hunk. */
function editsOf(hunk: Hunk): Edit[] {
  const edits: Edit[] = []
  const hasOld = hunk.lines.some((line) => line.oldLine !== undefined)
  let oldLine = hasOld ? hunk.oldStart - 1 : hunk.oldStart
  let edit: Edit | undefined
  for (const { kind, oldLine: at, newLine } of hunk.lines) {
    if (kind === 'context') {
      edit = undefined
    } else {
      if (!edit) {
        edit = { before: oldLine, removed: [], added: [] }
        edits.push(edit)
      }
      if (kind === 'removed' && at !== undefined) edit.removed.push(at)
      if (kind === 'added' && newLine !== undefined) edit.added.push(newLine)
    }
    if (at !== undefined) oldLine = at
  }
  return edits
}
