import type { ChangedFile } from '../../forges/change.ts'
import { namePaths } from '../name-paths.ts'
import type { Note } from '../review.ts'
import { type Excerpt, excerptsOf } from './excerpt.ts'

/** How much of a change a model reads. */
export interface ReadingBudget {
  /** Characters of one request. */
  characters: number
  /** Requests of one review. */
  requests: number
}

/**
 * A request of about 12 000 tokens leaves room for an answer in the 16 000 to 32 000 that local models are
 * run with; eight of them are a change of some 8 000 lines.
 */
const READING_BUDGET: ReadingBudget = { characters: 40_000, requests: 8 }

/**
 * Shares a change out to requests: largest files first, each where there is still room for it. Hunks that
 * only delete get the room that is left then, and no request of their own. What is left out is noted, and
 * `unread` has the paths of all files that are not shown whole.
 */
export function planBatches(
  files: readonly { file: ChangedFile; text: string }[],
  budget: ReadingBudget = READING_BUDGET,
): { batches: Excerpt[][]; notes: Note[]; unread: string[] } {
  const all = files.flatMap(({ file, text }) => excerptsOf(file, text, budget.characters))
  const adding = all.filter((excerpt) => !excerpt.deletionsOnly)
  if (adding.length === 0) return { batches: [], notes: [], unread: [] }

  const opened: Batch[] = []
  const leftOut = pack(adding, opened, budget)
  const deleting = all.filter((excerpt) => excerpt.deletionsOnly)
  const unseen = pack(deleting, opened, { ...budget, requests: opened.length })

  const batches = opened.map((batch) => batch.excerpts)
  const notes: Note[] = []
  const note = (excerpts: Excerpt[], reason: string) => {
    if (excerpts.length > 0) notes.push({ about: pathsOf(excerpts), reason })
  }
  note(unseen, 'deleted lines not shown to the model: no room beside the new lines')
  const total = `${budget.requests * budget.characters} characters`
  note(leftOut, `not reviewed by the model, or not all of it: the change is larger than ${total}`)
  const cut = batches.flat().filter((excerpt) => excerpt.cutLines > 0)
  note(cut, 'very long lines were shown to the model without their end')
  const unread = [...unseen, ...leftOut, ...cut].map((excerpt) => excerpt.path)
  return { batches, notes, unread }
}

interface Batch {
  size: number
  excerpts: Excerpt[]
}

/** Puts excerpts into the batches, opening new ones while requests are left. @returns what found no room */
function pack(excerpts: Excerpt[], batches: Batch[], { characters, requests }: ReadingBudget): Excerpt[] {
  const leftOut: Excerpt[] = []
  for (const excerpt of excerpts.toSorted((a, b) => b.text.length - a.text.length)) {
    const size = excerpt.text.length
    const open = batches.find((batch) => batch.size + size <= characters)
    if (open) {
      open.size += size
      open.excerpts.push(excerpt)
    } else if (batches.length < requests) batches.push({ size, excerpts: [excerpt] })
    else leftOut.push(excerpt)
  }
  return leftOut
}

/** The files of some excerpts, for a note. */
export function pathsOf(excerpts: readonly Excerpt[]): string {
  return namePaths([...new Set(excerpts.map((excerpt) => excerpt.path))])
}
