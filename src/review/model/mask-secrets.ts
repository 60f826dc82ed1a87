import type { ChangedFile } from '../../forges/change.ts'
import { findSecrets } from '../rules/find-secrets.ts'

const MASK = '[a line with a credential, not shown]'

/** A file to show a model, and its text at head. */
export interface FileToShow {
  file: ChangedFile
  text: string
}

/**
 * The file without the lines that hold a credential, on either side of the change: what it removes was one
 * too, and one that it does not touch is none the less one. Lines keep their numbers.
 */
export async function maskSecrets({ file, text }: FileToShow): Promise<FileToShow> {
  const lines = text.split('\n')
  const atHead = await linesWithSecrets(file.path, lines)
  // What git prints behind `@@` is a line of the old file as well.
  const old = file.hunks.flatMap((hunk) => [
    { of: hunk as object, text: hunk.section },
    ...hunk.lines.filter((line) => line.kind !== 'added').map((line) => ({ of: line, text: line.text })),
  ])
  const numbersInOld = await linesWithSecrets(
    file.path,
    old.map((line) => line.text),
  )
  if (atHead.size + numbersInOld.size === 0) return { file, text }

  const inOld = new Set(old.filter((_, index) => numbersInOld.has(index + 1)).map((line) => line.of))
  const hunks = file.hunks.map((hunk) => ({
    ...hunk,
    section: inOld.has(hunk) ? MASK : hunk.section,
    lines: hunk.lines.map((line) =>
      inOld.has(line) || atHead.has(line.newLine ?? 0) ? { ...line, text: masked(line.text) } : line,
    ),
  }))
  const shown = lines.map((line, index) => (atHead.has(index + 1) ? masked(line) : line))
  return { file: { ...file, hunks }, text: shown.join('\n') }
}

/** Indented as before: what encloses a line is told by indentation. */
function masked(line: string): string {
  return line.slice(0, line.length - line.trimStart().length) + MASK
}

/** The 1-based numbers of lines that are part of a credential. */
async function linesWithSecrets(path: string, lines: readonly string[]): Promise<Set<number>> {
  const touched = new Set(lines.map((_, index) => index + 1))
  const numbers = new Set<number>()
  for (const { line, endLine } of await findSecrets({ path, text: lines.join('\n'), touched })) {
    for (let at = line; at <= endLine; at++) numbers.add(at)
  }
  return numbers
}
