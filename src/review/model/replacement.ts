import { printableCode } from '../printable.ts'

/**
 * A model's replacement, ready to be put in the place of whole lines of a file.
 *
 * @param quote what the model says stands there: how it indents tells how its replacement is indented
 * @param lines what does stand there
 * @returns undefined where putting it there would not be safe: it is empty, changes nothing, hides characters,
 *   or its indentation cannot be told
 */
export function fittedReplacement(replacement: string, quote: string, lines: string[]): string | undefined {
  const bare = codeLines(replacement)
  if (
    bare.every((line) => line.trim() === '') ||
    printableCode(replacement) !== replacement.replace(/\r\n?/g, '\n')
  ) {
    return undefined
  }
  const fitted = indented(bare, codeLines(quote), lines)
  if (!fitted || sameText(fitted, lines)) return undefined
  return fitted.join('\n')
}

/** Lines without the fence a model may have put around them, and without blank lines at either end. */
function codeLines(text: string): string[] {
  const lines = text.split(/\r\n?|\n/)
  if (lines[0]?.startsWith('```') && lines.findLast((line) => line.trim() !== '')?.trim() === '```') {
    lines.splice(lines.findLastIndex((line) => line.trim() === '```'))
    lines.shift()
  }
  while (lines.at(-1)?.trim() === '') lines.pop()
  while (lines[0]?.trim() === '') lines.shift()
  return lines
}

function indented(replacement: string[], quote: string[], lines: string[]): string[] | undefined {
  const [first = ''] = replacement
  const actual = indentOf(lines[0])
  const quoted = indentOf(quote[0])
  if (indentOf(first) === actual) return replacement
  if (indentOf(first) === '' && replacement.length === 1) return [actual + first]
  if (indentOf(first) !== quoted || !actual.endsWith(quoted)) return undefined

  const missing = actual.slice(0, actual.length - quoted.length)
  const shift = (line: string) => (line.trim() === '' ? line : missing + line)
  if (sameText(quote.map(shift), lines)) return replacement.map(shift)
  // Copied from the first character of the code on: only the first line lost its indentation.
  const [quoteFirst = '', ...quoteRest] = quote
  if (sameText([shift(quoteFirst), ...quoteRest], lines)) return [shift(first), ...replacement.slice(1)]
  return undefined
}

function sameText(a: string[], b: string[]): boolean {
  return a.length === b.length && a.every((line, index) => line.trimEnd() === b[index]?.trimEnd())
}

function indentOf(line = ''): string {
  return line.slice(0, line.length - line.trimStart().length)
}
