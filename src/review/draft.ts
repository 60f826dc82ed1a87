import type { Change, ChangedFile } from '../forges/change.ts'
import type { OpenChange } from '../forges/forge.ts'
import type { ReviewRequest } from '../jobs/review-request.ts'
import type { EarlierReviews } from './earlier/earlier-reviews.ts'
import type { LocatedFinding } from './earlier/locate-findings.ts'
import type { Finding, ModelUse, Note, Review } from './review.ts'
import { defaultConfig, type ReviewConfig } from './review-config.ts'

/** A file that is going to be reviewed: its text at head, and which of its lines are to be looked at. */
export interface SelectedFile {
  path: string
  text: string
  /** The lines to look at: those that the change touched and no review has read, and those `rechecked`. */
  touched: ReadonlySet<number>
  /** Those of `touched` that were read before: looked at for what was said there, and for nothing else. */
  rechecked?: ReadonlySet<number>
  /** Its hunks as far as no review has read them; added lines that were read are context in them. */
  file: ChangedFile
}

/** A review in the making. Each stage reads what the stages before it left, and adds its own. */
export interface Draft {
  /** What is to be reviewed. Admit brings it up to date with what the forge tells now. */
  request: ReviewRequest
  /** Set by recall: what was said about this pull request before. */
  earlier: EarlierReviews
  /** Set by gather-change; closed when the pipeline ends, however it ends. */
  source: OpenChange | undefined
  config: ReviewConfig
  /** Set by select-files: the change, with those hunks alone that no review has read. */
  unreadChange: Change | undefined
  /** Set by select-files: the head of the last review, where only what changed since then is read. */
  since: string | null
  files: SelectedFile[]
  /** Paths of files that lose lines and gain none: nothing can be said at a line of theirs, but a model may see them. */
  deletions: string[]
  /** How many files were read by an earlier review and have not changed since. */
  unchanged: number
  /** Paths of files that could not be read. */
  unread: string[]
  /** Paths of files that the model of an earlier review did not read, or not whole, and that are as they were. */
  leftByModel: string[]
  /** Set by select-files: what earlier reviews left open, and where its code is at this head. */
  open: LocatedFinding[]
  /** Paths of those `files` that no rule has read. */
  readByNoRule: string[]
  /** Paths of files that the model was not shown, or not all of, or gave no usable answer about. */
  unreadByModel: string[]
  /** Before verify-findings all that the analyses found; after it, what this review says. */
  findings: Finding[]
  /** Set by verify-findings, as are the four below: see `Review`. */
  carried: Finding[]
  fixed: Finding[]
  returned: Finding[]
  forgotten: Finding[]
  aliases: Record<string, string>
  notes: Note[]
  model: ModelUse
  /** Set by publish: what was posted. */
  review: Review | undefined
}

export function newDraft(request: ReviewRequest): Draft {
  return {
    request,
    earlier: { last: undefined, said: new Map(), dismissed: new Set() },
    source: undefined,
    config: defaultConfig,
    unreadChange: undefined,
    since: null,
    files: [],
    deletions: [],
    unchanged: 0,
    unread: [],
    leftByModel: [],
    open: [],
    readByNoRule: [],
    unreadByModel: [],
    findings: [],
    carried: [],
    fixed: [],
    returned: [],
    forgotten: [],
    aliases: {},
    notes: [],
    model: { used: false, reason: 'the model stage has not run' },
    review: undefined,
  }
}

/** The change under review; only the stages behind gather-change may ask. */
export function sourceOf(draft: Draft): OpenChange {
  if (!draft.source) throw new Error('no change has been gathered yet')
  return draft.source
}

/** The part of the change that this review is to read: behind select-files, what no review has read yet. */
export function changeOf(draft: Draft): Change {
  return draft.unreadChange ?? sourceOf(draft).change
}
