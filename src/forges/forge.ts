import type { ReviewRequest } from '../jobs/review-request.ts'
import type { Change } from './change.ts'

/** A change laid open for reading. Whoever opened it closes it. */
export interface OpenChange {
  change: Change
  /**
   * A text file as it stands at base or head.
   *
   * @returns undefined when there is no such file there, or it is binary or larger than `MAX_FILE_BYTES`
   */
  readFile(side: 'base' | 'head', path: string): Promise<string | undefined>
  close(): Promise<void>
}

/** Reads what a pull request changes. */
export interface ChangeReader {
  /** @throws KodusError with a code of its own for whatever a hostile or broken repository can do */
  open(request: ReviewRequest, signal: AbortSignal): Promise<OpenChange>
}

/** A remark at lines of a file at head. */
export interface InlineComment {
  path: string
  line: number
  endLine: number
  /** Markdown. */
  body: string
  /** Text to put in the place of these lines, where that is safe. */
  replacement?: string
}

export interface PostableReview {
  /** The job and run it belongs to: the adapter derives its hidden, authenticated marker from them. */
  jobId: string
  run: number
  head: string
  /** Markdown. */
  summary: string
  comments: InlineComment[]
}

/** Posts a review where its readers are. */
export interface ReviewPoster {
  /** Looks for a review that an earlier attempt of this run posted. @returns its URL */
  find(
    request: ReviewRequest,
    review: PostableReview,
    signal: AbortSignal,
  ): Promise<{ url: string | null } | undefined>
  /** Posts it once. `stillOurs` is asked again at the last moment that the forge leaves for it. */
  post(
    request: ReviewRequest,
    review: PostableReview,
    stillOurs: () => Promise<boolean>,
    signal: AbortSignal,
  ): Promise<{ url: string | null }>
}

/** One forge, as the worker sees it. */
export interface Forge {
  reader: ChangeReader
  poster: ReviewPoster
}

/** A larger file is not read: nobody reviews it line by line. */
export const MAX_FILE_BYTES = 1024 * 1024
