/** Lines of a file at head that GitHub shows in its diff, and takes comments at. 1-based, both included. */
export interface RightHunk {
  start: number
  end: number
  /** Whether any of them ends in a carriage return. */
  carriageReturns: boolean
}

/** Where a comment goes on the right side of GitHub's diff. */
export interface Position {
  startLine: number
  line: number
  /**
   * Whether a suggestion would replace just the lines that were meant. Not with carriage returns: nobody
   * promises which line ends GitHub writes when it applies one.
   */
  suggestable: boolean
}

const HEADER = /^@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@/

/** The hunks of a `patch` of GitHub's API. Those that only remove lines have nothing on the right side. */
export function rightHunks(patch: string): RightHunk[] {
  const hunks: RightHunk[] = []
  let hunk: RightHunk | undefined
  for (const line of patch.split('\n')) {
    const header = HEADER.exec(line)
    if (header) {
      const start = Number(header[1])
      hunk = { start, end: start + Number(header[2] ?? 1) - 1, carriageReturns: false }
      if (hunk.end >= hunk.start) hunks.push(hunk)
    } else if (hunk && line.endsWith('\r') && !line.startsWith('-')) {
      hunk.carriageReturns = true
    }
  }
  return hunks
}

/**
 * Where GitHub takes a comment on these lines: all of them where one hunk has them all, else those that the
 * first hunk has that has any.
 *
 * @returns undefined where its diff shows none of them
 */
export function positionIn(
  hunks: readonly RightHunk[],
  { line, endLine }: { line: number; endLine: number },
): Position | undefined {
  const hunk = hunks.find(({ start, end }) => start <= endLine && line <= end)
  if (!hunk) return undefined
  const position = { startLine: Math.max(line, hunk.start), line: Math.min(endLine, hunk.end) }
  const whole = position.startLine === line && position.line === endLine
  return { ...position, suggestable: whole && !hunk.carriageReturns }
}
