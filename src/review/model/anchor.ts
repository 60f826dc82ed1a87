import { type ChangedFile, touchedLines } from '../../forges/change.ts'

/** Where a quote stands in a file at head. Lines are 1-based, both included. */
export interface Anchor {
  line: number
  endLine: number
  /** The quote is these lines, whole and inside one hunk: other text can be put in their place. */
  exact: boolean
}

interface Line {
  number: number
  text: string
}

/** A quote shorter than this, if it is no whole line, is in too many lines to mean one of them. */
const MIN_FRAGMENT = 4

/**
 * Finds the code that somebody quotes: models copy text far better than they count lines. Looks in the
 * change's hunks first, then in the whole file; whitespace and blank lines do not matter; of several places,
 * the one with the most touched lines wins, then the first.
 *
 * @returns `absent` when the quote is nowhere, `unchanged` when it is only where the change touched nothing
 */
export function anchorQuote(quote: string, file: ChangedFile, text: string): Anchor | 'absent' | 'unchanged' {
  const touched = touchedLines(file)
  const lines = nonBlank(text.split('\n'))
  const hunks = file.hunks.map((hunk) =>
    solid(hunk.lines.flatMap(({ newLine, text }) => (newLine ? [{ number: newLine, text }] : []))),
  )
  const find = (quoted: string[]) => {
    const inHunks = (whole: boolean) => hunks.flatMap((hunk) => occurrences(quoted, hunk, whole))
    let seen = false
    for (const { places, exact } of [
      { places: inHunks(true), exact: true },
      { places: inHunks(false), exact: false },
      { places: occurrences(quoted, lines, false), exact: false },
    ]) {
      const best = mostTouched(places, touched)
      if (best) return { ...best, exact }
      seen ||= places.length > 0
    }
    return seen ? ('unchanged' as const) : ('absent' as const)
  }

  const quoted = nonBlank(quote.split('\n')).map((line) => squash(line.text))
  const found = find(quoted)
  if (found !== 'absent') return found
  const bare = withoutMargin(quoted)
  const foundBare = bare ? find(bare) : 'absent'
  return typeof foundBare === 'string' ? foundBare : { ...foundBare, exact: false }
}

/** The part of an anchor from the first to the last line that the change touched; it touched at least one. */
export function touchedPart(anchor: Anchor, touched: ReadonlySet<number>): { line: number; endLine: number } {
  let { line, endLine } = anchor
  while (line < endLine && !touched.has(line)) line++
  while (endLine > line && !touched.has(endLine)) endLine--
  return { line, endLine }
}

function occurrences(quoted: string[], lines: Line[], whole: boolean): { line: number; endLine: number }[] {
  const last = quoted.length - 1
  if (last < 0 || (!whole && quoted.join('').length < MIN_FRAGMENT)) return []
  const found: { line: number; endLine: number }[] = []
  for (let at = 0; at + last < lines.length; at++) {
    const fits = quoted.every((part, index) => {
      const text = lines[at + index]?.text ?? ''
      if (whole) return text === part
      if (last === 0) return text.includes(part)
      if (index === 0) return text.endsWith(part)
      return index === last ? text.startsWith(part) : text === part
    })
    const first = lines[at]
    const end = lines[at + last]
    if (fits && first && end) found.push({ line: first.number, endLine: end.number })
  }
  return found
}

function mostTouched<Place extends { line: number; endLine: number }>(
  places: Place[],
  touched: ReadonlySet<number>,
): Place | undefined {
  let best: { place: Place; count: number } | undefined
  for (const place of places) {
    let count = 0
    for (let at = place.line; at <= place.endLine; at++) if (touched.has(at)) count++
    if (count > (best?.count ?? 0)) best = { place, count }
  }
  return best?.place
}

/** The quote without the line numbers or the `+` of the listing it was copied from, if every line has them. */
function withoutMargin(quoted: string[]): string[] | undefined {
  const margin = /^(\d+ ?[+:|]?|\+) ?/
  if (!quoted.every((line) => margin.test(line))) return undefined
  return quoted.map((line) => line.replace(margin, '')).filter((line) => line !== '')
}

function nonBlank(lines: string[]): Line[] {
  return solid(lines.map((text, index) => ({ number: index + 1, text })))
}

function solid(lines: Line[]): Line[] {
  return lines.map(({ number, text }) => ({ number, text: squash(text) })).filter((line) => line.text !== '')
}

function squash(text: string): string {
  return text.trim().replace(/\s+/g, ' ')
}
