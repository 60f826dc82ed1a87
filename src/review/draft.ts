import type { Change, ChangedFile } from '../forges/change.ts'
import type { OpenChange } from '../forges/forge.ts'
import type { ReviewRequest } from '../jobs/review-request.ts'
import type { Finding, ModelUse, Note, Review } from './review.ts'
import { defaultConfig, type ReviewConfig } from './review-config.ts'

/** A file that is going to be reviewed: its text at head, and which of its lines are the change's. */
export interface SelectedFile {
  path: string
  text: string
  touched: ReadonlySet<number>
  file: ChangedFile
}

/** A review in the making. Each stage reads what the stages before it left, and adds its own. */
export interface Draft {
  readonly request: ReviewRequest
  /** Set by gather-change; closed when the pipeline ends, however it ends. */
  source: OpenChange | undefined
  config: ReviewConfig
  files: SelectedFile[]
  /** Paths of files that lose lines and gain none: nothing can be said at a line of theirs, but a model may see them. */
  deletions: string[]
  /** Paths of those `files` that no rule has read. */
  readByNoRule: string[]
  findings: Finding[]
  notes: Note[]
  model: ModelUse
  /** Set by publish: what was posted. */
  review: Review | undefined
}

export function newDraft(request: ReviewRequest): Draft {
  return {
    request,
    source: undefined,
    config: defaultConfig,
    files: [],
    deletions: [],
    readByNoRule: [],
    findings: [],
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

export function changeOf(draft: Draft): Change {
  return sourceOf(draft).change
}
