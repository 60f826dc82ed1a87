import type { Forge, PullRequest, Verdict } from '../forges/forge.ts'
import type { Model } from '../models/model.ts'
import type { Draft } from './draft.ts'
import type { EarlierReviews } from './earlier/earlier-reviews.ts'
import type { Review } from './review.ts'

export type { EarlierReviews } from './earlier/earlier-reviews.ts'

/** Everything the review needs from outside. A worker wires it to the stores, the CLI to its own memory. */
export interface ReviewPorts {
  readonly jobId: string
  readonly run: number
  readonly forge: Forge
  /** Undefined where no endpoint is configured: the review then says that no model was asked. */
  readonly model: Model | undefined
  /** Aborted when the attempt must stop: its lease is lost, its deadline has passed, the worker stops. */
  readonly signal: AbortSignal
  /** A stage begins; `percent` of the review is done. */
  progress(stage: string, percent: number): Promise<void>
  /** What was said about this pull request before. Nothing where the request names no pull request. */
  recall(): Promise<EarlierReviews>
  /**
   * Records what the forge tells of the pull request now, unless something newer is known already.
   *
   * @returns what is known after that: its head, and whether a person put automatic reviews on hold
   */
  observe(pullRequest: PullRequest): Promise<{
    head: string
    state: 'open' | 'closed' | 'merged'
    hold: 'paused' | 'ignored' | null
  }>
  /** What an earlier attempt left for a stage; undefined when there is nothing of this version. */
  loadCheckpoint(stage: string, version: number): Promise<unknown>
  saveCheckpoint(stage: string, version: number, result: unknown): Promise<void>
  /**
   * What an earlier attempt of this run committed to posting: whether it is known to be posted, and whether
   * another job has committed to a newer review since. Undefined where none came this far.
   */
  committed(): Promise<{ review: Review; posted: boolean; outdated: boolean } | undefined>
  /**
   * Commits to posting. The answer is the review to post, which is an earlier attempt's if that one came
   * this far, and whether it is known to be posted already.
   *
   * @throws when this attempt may not post: it lost its job, or the pull request has moved on
   */
  intend(review: Review): Promise<{ review: Review; posted: boolean }>
  /** Asked at the last moment before posting: does this attempt still hold its job? */
  stillOurs(): Promise<boolean>
  /** The review is at the forge. */
  posted(url: string | null): Promise<void>
}

/**
 * What a stage did. A skipped stage says why; what a reader must know of it, it also puts into the notes.
 * `finish` ends the pipeline without a review (a draft, a change that waits for a maintainer): the job is
 * complete, and `verdict` is shown on the pull request; null where there is nothing to show. `waits`: for
 * somebody, who must be told where a verdict has no place too.
 */
export type StageOutcome =
  | { did: 'continue' }
  | { did: 'skip'; reason: string }
  | { did: 'finish'; reason: string; verdict: Verdict | null; waits?: true }

export const proceed: StageOutcome = { did: 'continue' }

export function skip(reason: string): StageOutcome {
  return { did: 'skip', reason }
}

export function finish(reason: string, verdict: Verdict | null, more: { waits?: true } = {}): StageOutcome {
  return { did: 'finish', reason, verdict, ...more }
}

/** One step of the review. Failures are thrown, as coded errors. */
export interface Stage {
  readonly name: string
  run(draft: Draft, ports: ReviewPorts): Promise<StageOutcome>
}
