/** Rows of cells, written already. The first column is what the row is about. */
export interface Table {
  readonly header: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** What a cell with a number looks like, or one that has none. */
const NUMBER = /^([–$\d.,/ ]+( min| killed)?|never)?$/

/** For a terminal: numbers to the right, words to the left, the last column with nothing behind it. */
export function textTable({ header, rows }: Table): string {
  const widths = header.map((_, column) =>
    Math.max(...[header, ...rows].map((row) => row[column]?.length ?? 0)),
  )
  const align = (cell: string, i: number) =>
    isNumeric(rows, i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)
  const line = (row: readonly string[]) => row.map(align).join('  ').trimEnd()
  return [line(header), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n')
}

/** For a page of documentation. Cells are our own words: none has a bar in it. */
export function markdownTable({ header, rows }: Table): string {
  const line = (row: readonly string[]) => `| ${row.join(' | ')} |`
  const rule = header.map((_, i) => (isNumeric(rows, i) ? '--:' : '---'))
  return [line(header), line(rule), ...rows.map(line)].join('\n')
}

function isNumeric(rows: Table['rows'], column: number): boolean {
  return rows.every((row) => NUMBER.test(row[column] ?? ''))
}

/** US dollars, with cents where they are few. */
export function dollars(value: number): string {
  const digits = Math.abs(value) < 10 ? 2 : 0
  return `$${value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })}`
}

/** A number with no more digits than anybody reads. */
export function amount(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: value < 10 ? 2 : value < 100 ? 1 : 0 })
}
