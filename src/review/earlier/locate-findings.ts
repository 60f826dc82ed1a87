import { setImmediate } from 'node:timers/promises'
import { type Change, type ChangedFile, touchedLines } from '../../forges/change.ts'
import type { Finding } from '../review.ts'
import { findCode } from './find-code.ts'
import { mapRange } from './map-lines.ts'
import type { Since } from './unread-part.ts'

/**
 * Where the code of an earlier finding is at this head. `same` and `changed` as in `MappedRange`. `gone`: it
 * was removed, or is no part of the change any more. `unknown`: its file is there, and cannot be read as text.
 */
export type Place =
  | { state: 'same' | 'changed'; path: string; line: number; endLine: number }
  | { state: 'gone' }
  | { state: 'unknown' }

export interface LocatedFinding {
  finding: Finding
  place: Place
}

/** Follows earlier findings to this head, by what has changed since the head at which they were open. */
export function followFindings(open: readonly Finding[], change: Change, since: Since): LocatedFinding[] {
  const renamed = new Map(
    [...since.values()].flatMap((file) =>
      file.previousPath === undefined ? [] : [[file.previousPath, file]],
    ),
  )
  const changed = new Map(change.files.map((file) => [file.path, file]))
  return open.map((finding) => {
    const newer = renamed.get(finding.path) ?? since.get(finding.path)
    const path = newer?.path ?? finding.path
    const outcome = stateOfFile(changed.get(path))
    if (newer?.status === 'deleted' || outcome === 'gone') return { finding, place: { state: 'gone' } }
    if (outcome === 'unknown' || (newer && newer.kind !== 'text'))
      return { finding, place: { state: 'unknown' } }
    const mapped = mapRange(newer?.hunks ?? [], finding)
    return { finding, place: mapped.state === 'gone' ? mapped : { ...mapped, path } }
  })
}

/**
 * Looks for earlier findings at this head by their code alone, where the head at which they were open cannot
 * be had any more: a force-push left it, and the forge forgot it.
 */
export async function searchFindings(
  open: readonly Finding[],
  change: Change,
  names: { said: ReadonlyMap<string, Finding>; aliases: Readonly<Record<string, string>> },
  readFile: (path: string) => Promise<string | undefined>,
): Promise<LocatedFinding[]> {
  const texts = new Map<string, Promise<string | undefined>>()
  const located: LocatedFinding[] = []
  for (const finding of open) {
    const file = change.files.find(
      ({ path, previousPath }) => path === finding.path || previousPath === finding.path,
    )
    const outcome = stateOfFile(file)
    if (!file || outcome !== 'text') {
      located.push({ finding, place: { state: outcome === 'unknown' ? 'unknown' : 'gone' } })
      continue
    }
    // Reading a long file for each of many findings takes seconds: others renew their leases meanwhile.
    await setImmediate()
    const reading = texts.get(file.path) ?? readFile(file.path)
    texts.set(file.path, reading)
    const text = await reading
    const ids = new Set([
      finding.id,
      ...Object.keys(names.aliases).filter((id) => names.aliases[id] === finding.id),
    ])
    const paths = [...new Set([names.said.get(finding.id)?.path ?? finding.path, finding.path])]
    const code = text === undefined ? undefined : findCode(finding, { ids, paths }, text)
    const missing = { state: text === undefined ? ('unknown' as const) : ('gone' as const) }
    located.push({ finding, place: code ? { state: 'same', path: file.path, ...code } : missing })
  }
  return located
}

/** A file without lines of the change is no part of it any more: what was said about it is settled. */
function stateOfFile(file: ChangedFile | undefined): 'text' | 'gone' | 'unknown' {
  if (!file || file.status === 'deleted') return 'gone'
  if (file.kind !== 'text') return 'unknown'
  return touchedLines(file).size > 0 ? 'text' : 'gone'
}
