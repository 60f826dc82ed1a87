import { findingId } from '../finding-id.ts'
import type { Finding } from '../review.ts'
import type { LineRange } from './map-lines.ts'

/**
 * Looks in a file for the lines that a finding was about, where nothing tells how the file changed: an id is
 * a hash of rule, path and the lines' text, so lines that give it are the lines that were meant.
 *
 * @param names ids that the finding may have, and paths that its file had
 */
export function findCode(
  { rule, line, endLine }: Finding,
  names: { ids: ReadonlySet<string>; paths: readonly string[] },
  text: string,
): LineRange | undefined {
  const lines = text.split('\n').map((one) => one.trim())
  const length = endLine - line + 1
  const seen = new Map<string, number>()
  for (let at = 0; at + length <= lines.length; at++) {
    const code = lines.slice(at, at + length).join('\n')
    const before = seen.get(code) ?? 0
    seen.set(code, before + 1)
    if (names.paths.some((path) => names.ids.has(findingId(rule, path, code, before)))) {
      return { line: at + 1, endLine: at + length }
    }
  }
  return undefined
}
