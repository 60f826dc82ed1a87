import { type ChangedFile, type Hunk, touchedLines } from '../../forges/change.ts'

/** What differs between the last reviewed head and this one, by path at this head; undefined: nothing was reviewed. */
export type Since = ReadonlyMap<string, ChangedFile>

/**
 * The lines of a changed file that no review has read: touched by the change, and added since the last
 * reviewed head. Lines that came with a merge or a rebase are not the change's; lines that a force-push
 * left as they were are not added since.
 */
export function freshLines(file: ChangedFile, since: Since): Set<number> {
  const touched = touchedLines(file)
  const newer = since.get(file.path)
  if (!newer) return new Set()
  // What could not be compared was no text then: nobody has read it.
  if (newer.kind !== 'text') return touched
  const added = touchedLines(newer)
  return new Set([...touched].filter((line) => added.has(line)))
}

/**
 * A changed file with those hunks alone in which something is newer than the last reviewed head. Added lines
 * that were read then are context: whoever reads on from here takes nothing for new that is not.
 */
export function unreadPart(file: ChangedFile, fresh: ReadonlySet<number>, since: Since): ChangedFile {
  const newer = since.get(file.path)
  const edited = newer ? editedLines(newer) : new Set<number>()
  const hunks = file.hunks.filter((hunk) =>
    hunk.lines.some(({ newLine }) => has(fresh, newLine) || has(edited, newLine)),
  )
  return { ...file, hunks: hunks.map((hunk) => onlyFresh(hunk, fresh)) }
}

function onlyFresh(hunk: Hunk, fresh: ReadonlySet<number>): Hunk {
  const lines = hunk.lines.map((line) =>
    line.kind === 'added' && !has(fresh, line.newLine) ? { ...line, kind: 'context' as const } : line,
  )
  return { ...hunk, lines }
}

/** The lines that a diff adds, and those on either side of what it removes. */
function editedLines(file: ChangedFile): Set<number> {
  const edited = touchedLines(file)
  for (const { lines } of file.hunks) {
    for (const [at, { kind }] of lines.entries()) {
      if (kind !== 'removed') continue
      const above = lines.slice(0, at).findLast((line) => line.newLine !== undefined)?.newLine
      const below = lines.slice(at).find((line) => line.newLine !== undefined)?.newLine
      for (const line of [above, below]) if (line !== undefined) edited.add(line)
    }
  }
  return edited
}

function has(lines: ReadonlySet<number>, line: number | undefined): boolean {
  return line !== undefined && lines.has(line)
}
