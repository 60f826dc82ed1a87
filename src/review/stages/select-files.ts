import { setImmediate } from 'node:timers/promises'
import { type ChangedFile, touchedLines } from '../../forges/change.ts'
import { type Draft, sourceOf } from '../draft.ts'
import { isRetargeted } from '../earlier/is-retargeted.ts'
import { followFindings, searchFindings } from '../earlier/locate-findings.ts'
import { followedFrom } from '../earlier/open-findings.ts'
import { freshLines, type Since, unreadPart } from '../earlier/unread-part.ts'
import { matchesGlob, parseGlob } from '../glob.ts'
import { notesByReason } from '../name-paths.ts'
import { type ReviewConfig, reasonToSkipPath } from '../review-config.ts'
import { proceed, type ReviewPorts, type Stage } from '../stage.ts'

/** Written by tools, read by nobody. Few on purpose, and each one that is met is said in the review. */
const GENERATED = [
  '**/{package-lock,npm-shrinkwrap}.json',
  '**/{pnpm-lock.yaml,go.sum}',
  '**/{yarn,Cargo,poetry,uv,Gemfile,composer}.lock',
  '**/*.{min.js,min.css,map}',
].flatMap(parseGlob)

/** A review keeps the text of its files: a worker with four slots must live in a small container. */
const MAX_TEXT_BYTES = 64 * 1024 * 1024
const MAX_FILES = 2_000

const TOO_MUCH = `more than the ${MAX_FILES} files or ${MAX_TEXT_BYTES / 1024 / 1024} MiB that one review reads`

const LEFT_BY_MODEL = 'not reviewed by the model, or not all of it, in an earlier review; unchanged since'

/**
 * Picks the files that have new lines to review, in the order of the diff: new since the last review, where
 * there was one. Every other changed file is noted with its reason, one note a reason; all that goes without
 * saying is a rename or a mode that changes no line, and what was reviewed before, which is counted.
 */
export const selectFiles: Stage = {
  name: 'select-files',
  async run(draft, ports) {
    const since = await compareWithLast(draft)
    const rechecked = linesToRecheck(draft, since)
    const left: { path: string; reason: string }[] = []
    const leave = (path: string, reason: string) => left.push({ path, reason: `not reviewed: ${reason}` })
    const { change } = sourceOf(draft)
    const leftByModel = new Set(draft.earlier.last?.review.unreadByModel)
    const unread: ChangedFile[] = []
    let bytes = 0

    for (const file of change.files) {
      await takeTurns(ports)
      const part = partToRead(file, draft, since)
      unread.push(part.file)
      const reason = reasonToSkip(file, draft.config)
      if (reason) {
        leave(file.path, reason)
        continue
      }
      if (file.hunks.length === 0) continue
      const recheck = rechecked.get(file.path) ?? []
      if (touchedLines(file).size === 0) {
        leave(file.path, 'its change only deletes lines')
        if (part.file.hunks.length > 0) draft.deletions.push(file.path)
        continue
      }
      if (part.fresh.size === 0) {
        draft.unchanged++
        if (leftByModel.has(file.path)) draft.leftByModel.push(file.path)
      }
      if (part.fresh.size === 0 && recheck.length === 0) continue
      if (draft.files.length >= MAX_FILES || bytes >= MAX_TEXT_BYTES) {
        leave(file.path, TOO_MUCH)
        draft.unread.push(file.path)
        continue
      }
      const text = await sourceOf(draft).readFile('head', file.path)
      if (text === undefined) {
        leave(file.path, 'too large, or not text')
        draft.unread.push(file.path)
        continue
      }
      bytes += Buffer.byteLength(text)
      const again = new Set(recheck.filter((line) => !part.fresh.has(line)))
      const touched = new Set([...part.fresh, ...again])
      draft.files.push({ path: file.path, text, touched, rechecked: again, file: part.file })
    }
    draft.unreadChange = { ...change, files: unread }
    for (const path of draft.leftByModel) left.push({ path, reason: LEFT_BY_MODEL })
    draft.notes.push(...notesByReason(left))
    return proceed
  },
}

/** Matching patterns is synchronous: lets the lease's renewal and other jobs have their turn. */
async function takeTurns({ signal }: ReviewPorts): Promise<void> {
  signal.throwIfAborted()
  await setImmediate()
}

/**
 * Follows what was said to this head, and tells what has changed since the last review; undefined where the
 * whole change is to be read.
 */
async function compareWithLast(draft: Draft): Promise<Since | undefined> {
  const { earlier, request } = draft
  const last = earlier.last?.review
  if (!last) return undefined
  const source = sourceOf(draft)
  const open = followedFrom(last)
  const paths = source.change.files.flatMap(({ path, previousPath }) => [path, previousPath ?? path])
  const changed = await source.changedSince(last.head, [
    ...new Set([...paths, ...open.map(({ path }) => path)]),
  ])
  if (!changed) {
    const names = { said: earlier.said, aliases: last.aliases ?? {} }
    draft.open = await searchFindings(open, source.change, names, (path) => source.readFile('head', path))
    const reason = 'the forge does not have it any more, so the whole change was read again'
    draft.notes.push({ about: `the last reviewed commit, ${last.head.slice(0, 12)}`, reason })
    return undefined
  }
  const since: Since = new Map(changed.map((file) => [file.path, file]))
  draft.open = followFindings(open, source.change, since)
  if (request.force || isRetargeted(last.baseBranch, request.baseBranch)) return undefined
  draft.since = last.head
  return since
}

/**
 * By path, the lines where a rule found something before, in files that have changed since: what makes it
 * right may have been written beside it.
 */
function linesToRecheck({ open }: Draft, since: Since | undefined): Map<string, number[]> {
  const lines = new Map<string, number[]>()
  for (const { finding, place } of open) {
    if (place.state === 'gone' || place.state === 'unknown' || finding.source === 'model') continue
    if (since && !since.has(place.path)) continue
    const inFile = lines.get(place.path) ?? []
    for (let line = place.line; line <= place.endLine; line++) inFile.push(line)
    lines.set(place.path, inFile)
  }
  return lines
}

/** The lines of a file that no review has read, and its hunks with these lines. */
function partToRead(
  file: ChangedFile,
  { earlier }: Draft,
  since: Since | undefined,
): { file: ChangedFile; fresh: ReadonlySet<number> } {
  const wasRead = since && !earlier.last?.review.unread?.includes(file.path)
  if (!wasRead) return { file, fresh: touchedLines(file) }
  const fresh = freshLines(file, since)
  return { file: unreadPart(file, fresh, since), fresh }
}

function reasonToSkip(file: ChangedFile, config: ReviewConfig): string | undefined {
  if (file.kind !== 'text') return `a ${file.kind} file`
  const reason = reasonToSkipPath(config, file.path)
  if (reason) return reason
  if (matchesGlob(GENERATED, file.path)) return 'generated by a tool'
  return undefined
}
