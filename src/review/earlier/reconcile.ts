import { createHash } from 'node:crypto'
import { saysTheSame } from '../model/finding.ts'
import type { Finding } from '../review.ts'
import type { LocatedFinding, Place } from './locate-findings.ts'

export interface Comparison {
  /** What the analyses found this time. */
  found: readonly Finding[]
  /** What earlier reviews left open, and where it is now. */
  open: readonly LocatedFinding[]
  /** Whether a finding stands on a line that no review has read. */
  isFresh(found: Finding): boolean
  /** Whether what finds such findings has read these lines this time. */
  hasRead(source: Finding['source'], place: ReadPlace): boolean
  /** Whether this id was ever said. */
  wasSaid(id: string): boolean
  dismissed: ReadonlySet<string>
  aliases: Readonly<Record<string, string>>
}

type ReadPlace = Pick<Finding, 'path' | 'line' | 'endLine'>

export interface Reconciled {
  /** Never said before. */
  findings: Finding[]
  carried: Finding[]
  fixed: Finding[]
  returned: Finding[]
  /** Told to forget, and there: followed on, so that an edit does not bring them back as news. */
  forgotten: Finding[]
  aliases: Record<string, string>
}

/**
 * Tells what is new from what was said. An open finding keeps the id under which it was said for as long as
 * it is open, whatever happens to its code; what an analysis finds in its place is the same finding. A
 * finding is said once, and is fixed only where its code is gone, or was read again and found to be right.
 */
export function reconcile(comparison: Comparison): Reconciled {
  const { found, open, isFresh, hasRead, wasSaid, dismissed } = comparison
  const aliases = new Map(Object.entries(comparison.aliases))
  const saidAs = ({ id }: Finding) => aliases.get(id) ?? id

  const twins = pair(open, found, saidAs)
  const left = new Set(found)
  for (const twin of twins.values()) left.delete(twin)

  const there: Finding[] = []
  const gone = new Map<string, Finding>()
  for (const one of open) {
    const { finding, place } = one
    const twin = twins.get(one)
    if (twin) {
      if (twin.id === finding.id) aliases.delete(twin.id)
      else aliases.set(twin.id, finding.id)
      there.push({ ...twin, id: finding.id })
    } else if (isFixed(one, hasRead)) gone.set(finding.id, finding)
    else there.push(at(finding, place))
  }

  const findings: Finding[] = []
  const returned: Finding[] = []
  const taken = new Set(there.map(({ id }) => id))
  for (const one of left) {
    const same = one.source === 'model' && there.find((other) => saysTheSame(other, one))
    if (same) aliases.set(one.id, same.id)
    if (same || !isFresh(one)) continue
    const id = firstFree(saidAs(one), taken)
    // Gone from its place, and here: it was moved.
    const wasMoved = gone.delete(id)
    if (!wasMoved && dismissed.has(id)) continue
    taken.add(id)
    if (id !== one.id) aliases.set(one.id, id)
    const list = wasMoved ? there : wasSaid(id) ? returned : findings
    list.push({ ...one, id })
  }
  const isForgotten = ({ id }: Finding) => dismissed.has(id)
  return {
    findings,
    carried: there.filter((one) => !isForgotten(one)),
    fixed: [...gone.values()].filter((one) => !isForgotten(one)),
    returned,
    forgotten: there.filter(isForgotten),
    aliases: Object.fromEntries(aliases),
  }
}

/** For each open finding, what was found in its place, the surest pairs first. */
function pair(
  open: readonly LocatedFinding[],
  found: readonly Finding[],
  saidAs: (found: Finding) => string,
): Map<LocatedFinding, Finding> {
  const pairs = new Map<LocatedFinding, Finding>()
  const left = new Set(found)
  const match = (fits: (one: LocatedFinding, other: Finding) => boolean) => {
    for (const one of open) {
      if (pairs.has(one)) continue
      for (const other of left) {
        if (other.rule !== one.finding.rule || !fits(one, other)) continue
        pairs.set(one, other)
        left.delete(other)
        break
      }
    }
  }
  match(
    ({ finding, place }, other) =>
      place.state === 'same' &&
      overlaps(place, other) &&
      (finding.source === 'model' ? saysTheSame(at(finding, place), other) : place.line === other.line),
  )
  // Code that was moved. What is still where it was is not moved: that is a copy of it.
  match(({ finding, place }, other) => place.state !== 'same' && saidAs(other) === finding.id)
  match(
    ({ finding, place }, other) =>
      overlaps(place, other) && (place.state === 'changed' || finding.source !== 'model'),
  )
  return pairs
}

function overlaps(place: Place, { path, line, endLine }: Finding): boolean {
  if (place.state !== 'same' && place.state !== 'changed') return false
  return place.path === path && place.line <= endLine && line <= place.endLine
}

/** Of an open finding in whose place nothing was found. */
function isFixed({ finding, place }: LocatedFinding, hasRead: Comparison['hasRead']): boolean {
  if (place.state === 'gone') return true
  if (place.state === 'unknown') return false
  // A model that does not repeat itself about lines that are as they were has not taken anything back.
  if (place.state === 'same' && finding.source === 'model') return false
  return hasRead(finding.source, place)
}

/** An open finding at its place in this head. */
function at(finding: Finding, place: Place): Finding {
  if (place.state !== 'same' && place.state !== 'changed') return finding
  const { path, line, endLine } = place
  const { replacement, ...rest } = { ...finding, path, line, endLine }
  return place.state === 'same' && replacement !== undefined ? { ...rest, replacement } : rest
}

/**
 * An id that no other open finding has: ids number equal lines from the top of the file, so that a copy above
 * an open finding gets the id that was the open one's.
 */
function firstFree(id: string, taken: ReadonlySet<string>): string {
  let free = id
  for (let copy = 1; taken.has(free); copy++) {
    free = createHash('sha256').update(`${id} ${copy}`).digest('hex').slice(0, id.length)
  }
  return free
}
