import type { ChangeReader } from '../forges/forge.ts'
import type { Finding } from '../review/review.ts'

/** A reader that keeps the texts it hands out, so that a finding's lines can be shown after it is closed. */
export function rememberTexts(reader: ChangeReader): {
  reader: ChangeReader
  linesOf(finding: Finding): string | undefined
} {
  const texts = new Map<string, string>()
  return {
    reader: {
      async open(request, signal) {
        const source = await reader.open(request, signal)
        return {
          ...source,
          async readFile(side, path) {
            const text = await source.readFile(side, path)
            if (side === 'head' && text !== undefined) texts.set(path, text)
            return text
          },
        }
      },
    },
    linesOf: ({ path, line, endLine }) =>
      texts
        .get(path)
        ?.split(/\r?\n/)
        .slice(line - 1, endLine)
        .join('\n'),
  }
}
