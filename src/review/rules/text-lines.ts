/** Lines of a text the way git counts them: each ends with `\n`, and a `\r` before it belongs to the break. */
export interface TextLines {
  /** The number (1-based) of the line that an offset in UTF-16 code units is in. */
  lineAt(offset: number): number
  /** Where a line begins, and where it ends, without its line break. */
  start(line: number): number
  end(line: number): number
  /** Lines `line` to `endLine` as they stand in the text, without the last line break. */
  slice(line: number, endLine: number): string
}

export function textLines(text: string): TextLines {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)

  const start = (line: number): number => starts[line - 1] ?? text.length
  const end = (line: number): number => {
    const next = starts[line]
    if (next === undefined) return text.length
    return text[next - 2] === '\r' && next - 2 >= start(line) ? next - 2 : next - 1
  }
  const lineAt = (offset: number): number => {
    let [low, high] = [0, starts.length - 1]
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if ((starts[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return low + 1
  }
  return { lineAt, start, end, slice: (line, endLine) => text.slice(start(line), end(endLine)) }
}

export function touchedWithin(touched: ReadonlySet<number>, line: number, endLine: number): boolean {
  for (let at = line; at <= endLine; at++) if (touched.has(at)) return true
  return false
}

/** Lines without their indentation, as `findingId` sees them: twins that are only indented differently are twins. */
export function unindented(lines: string): string {
  return lines
    .split('\n')
    .map((line) => line.trim())
    .join('\n')
}
