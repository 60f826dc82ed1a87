import type { Forge } from '../forges/forge.ts'
import type { Model } from '../models/model.ts'
import type { Draft } from './draft.ts'
import type { Review } from './review.ts'

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
  /** What an earlier attempt left for a stage; undefined when there is nothing of this version. */
  loadCheckpoint(stage: string, version: number): Promise<unknown>
  saveCheckpoint(stage: string, version: number, result: unknown): Promise<void>
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

/** What a stage did. A skipped stage says why; what a reader must know of it, it also puts into the notes. */
export type StageOutcome = { did: 'continue' } | { did: 'skip'; reason: string }

export const proceed: StageOutcome = { did: 'continue' }

export function skip(reason: string): StageOutcome {
  return { did: 'skip', reason }
}

/** One step of the review. Failures are thrown, as coded errors. */
export interface Stage {
  readonly name: string
  run(draft: Draft, ports: ReviewPorts): Promise<StageOutcome>
}
