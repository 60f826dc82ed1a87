import { gitUnexpected } from './git-error.ts'

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

const FILE = /^diff --git a\/(\d+) b\/\1$/
const HUNK = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ ?(.*)$/

/**
 * Reads `git diff-tree --patch` of files whose names are numbers. Each hunk says how many lines it has, and
 * exactly these are taken as its content: a line of a file that looks like a header stays a line.
 *
 * @returns the hunks of each file that has any, by its number
 */
export function parsePatch(patch: Buffer): Map<number, Hunk[]> {
  const files = new Map<number, Hunk[]>()
  const lines = createLineReader(patch)
  let hunks: Hunk[] | undefined
  for (let line = lines.next(); line !== undefined; line = lines.next()) {
    const file = FILE.exec(line)
    if (file) {
      hunks = []
      files.set(Number(file[1]), hunks)
    }
    const hunk = HUNK.exec(line)
    if (!hunks) throw gitUnexpected('a patch that does not begin with a file')
    if (hunk) hunks.push(readHunk(hunk, lines))
  }
  return files
}

interface LineReader {
  /** Up to the next line feed; a carriage return stays part of the line. */
  next(): string | undefined
}

function createLineReader(buffer: Buffer): LineReader {
  let start = 0
  return {
    next() {
      if (start >= buffer.length) return undefined
      const end = buffer.indexOf(10, start)
      const line = buffer.toString('utf8', start, end === -1 ? buffer.length : end)
      start = end === -1 ? buffer.length : end + 1
      return line
    },
  }
}

function readHunk(
  [, oldStart, oldCount = '1', newStart, newCount = '1', section = '']: RegExpExecArray,
  lines: LineReader,
): Hunk {
  const hunk: Hunk = {
    oldStart: Number(oldStart),
    newStart: Number(newStart),
    section: section.trimEnd(),
    lines: [],
  }
  const left = { old: Number(oldCount), new: Number(newCount) }
  let oldLine = hunk.oldStart
  let newLine = hunk.newStart
  while (left.old > 0 || left.new > 0) {
    const line = lines.next()
    if (line === undefined) throw gitUnexpected('a hunk that ends early')
    const text = line.slice(1)
    if (line[0] === ' ') {
      hunk.lines.push({ kind: 'context', text, oldLine: oldLine++, newLine: newLine++ })
      left.old--
      left.new--
    } else if (line[0] === '-') {
      hunk.lines.push({ kind: 'removed', text, oldLine: oldLine++ })
      left.old--
    } else if (line[0] === '+') {
      hunk.lines.push({ kind: 'added', text, newLine: newLine++ })
      left.new--
    } else if (line[0] !== '\\') {
      throw gitUnexpected('a hunk with a line of unknown kind')
    }
  }
  return hunk
}
