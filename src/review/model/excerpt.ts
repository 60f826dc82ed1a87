import type { ChangedFile, Hunk, HunkLine } from '../../forges/change.ts'
import { cut, printable } from '../printable.ts'

/** A part of a changed file as a model reads it: numbered lines of hunks under the headers that enclose them. */
export interface Excerpt {
  path: string
  text: string
  /** Nothing in it is new: it is context, and the first to go when there is too much. */
  deletionsOnly: boolean
  /** Lines shown without their end. */
  cutLines: number
}

/** Longer lines are data or minified: nobody reviews them to their end. */
const MAX_LINE = 500

/** Headers shown above a hunk, and how far up they are looked for. */
const MAX_HEADERS = 6
const MAX_LOOK_UP = 2_000

/**
 * A file's hunks as excerpts of at most `limit` characters each, cut between lines.
 *
 * @param text the file at head
 */
export function excerptsOf(file: ChangedFile, text: string, limit: number): Excerpt[] {
  const source = text.split('\n')
  const pieces = file.hunks.flatMap((hunk) => piecesOf(hunk, limit / 2)).map((piece) => render(piece, source))
  const excerpts: Excerpt[] = []
  for (const piece of pieces) {
    const last = excerpts.at(-1)
    const fits = last && last.text.length + piece.text.length + 1 <= limit
    if (last && fits && last.deletionsOnly === piece.deletionsOnly) {
      last.text += `\n${piece.text}`
      last.cutLines += piece.cutLines
    } else {
      const header = `file: ${printable(file.path)} (${file.status})`
      excerpts.push({ ...piece, path: file.path, text: `${header}\n${piece.text}` })
    }
  }
  return excerpts
}

type Piece = Pick<Hunk, 'section' | 'lines'>

function piecesOf(hunk: Hunk, limit: number): Piece[] {
  const pieces: Piece[] = []
  let size = Number.POSITIVE_INFINITY
  for (const line of hunk.lines) {
    const cost = Math.min(line.text.length, MAX_LINE) + 16
    if (size + cost > limit) {
      pieces.push({ section: hunk.section, lines: [] })
      size = 0
    }
    pieces.at(-1)?.lines.push(line)
    size += cost
  }
  return pieces
}

function render({ section, lines }: Piece, source: string[]): Omit<Excerpt, 'path'> {
  const first = lines.find((line) => line.newLine !== undefined)?.newLine
  const firstAdded = lines.find((line) => line.kind === 'added')?.newLine
  const headers = headersAbove(source, firstAdded ?? first ?? 0).filter((at) => at < (first ?? 0))
  const shown = headers.map((at) => numbered(at, ' ', source[at - 1] ?? ''))
  if (shown.length === 0 && section) shown.push(`      in ${shortened(section)}`)
  return {
    text: ['@@', ...shown, ...(shown.length > 0 ? ['      …'] : []), ...lines.map(renderLine)].join('\n'),
    deletionsOnly: firstAdded === undefined,
    cutLines: lines.filter((line) => line.kind === 'added' && line.text.length > MAX_LINE).length,
  }
}

const MARKS = { context: ' ', added: '+', removed: '-' } as const

function renderLine({ kind, newLine, text }: HunkLine): string {
  return numbered(newLine, MARKS[kind], text)
}

function numbered(number: number | undefined, mark: string, text: string): string {
  return `${String(number ?? '').padStart(5)} ${mark} ${shortened(text)}`
}

function shortened(text: string): string {
  return text.length > MAX_LINE ? `${cut(text, MAX_LINE)} … (cut)` : text.replace(/\r$/, '')
}

/**
 * The lines that enclose a line, outermost first: each the nearest one above that is indented less, which in
 * every language anybody indents is the head of a function, class or block.
 */
function headersAbove(source: string[], number: number): number[] {
  const headers: number[] = []
  let bound = indentOf(source[number - 1] ?? '')
  for (let at = number - 1; at > Math.max(0, number - MAX_LOOK_UP) && bound > 0; at--) {
    const line = source[at - 1] ?? ''
    const indent = indentOf(line)
    if (line.trim() === '' || indent >= bound) continue
    headers.unshift(at)
    // A line that closes something (`) {`, `} else {`) has its opening above, indented alike.
    bound = /^\s*[)\]}]/.test(line) ? indent + 1 : indent
  }
  return headers.slice(-MAX_HEADERS)
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length
}
