import type { Verdict } from '../forges/forge.ts'
import type { ReviewRequest } from '../jobs/review-request.ts'
import type { Log } from '../lib/log.ts'
import { stageDuration } from '../lib/telemetry/catalogue.ts'
import { secondsSince } from '../lib/telemetry/instrument.ts'
import { annotate, traced } from '../lib/telemetry/trace.ts'
import { newDraft } from './draft.ts'
import type { Review } from './review.ts'
import type { ReviewPorts, Stage, StageOutcome } from './stage.ts'
import { admit } from './stages/admit.ts'
import { analyse } from './stages/analyse.ts'
import { askModel } from './stages/ask-model.ts'
import { gatherChange } from './stages/gather-change.ts'
import { loadConfig } from './stages/load-config.ts'
import { postIntended, publish } from './stages/publish.ts'
import { recall } from './stages/recall.ts'
import { selectFiles } from './stages/select-files.ts'
import { verifyFindings } from './stages/verify-findings.ts'

/** The product, as a list. */
export const PIPELINE: readonly Stage[] = [
  admit,
  recall,
  gatherChange,
  loadConfig,
  selectFiles,
  analyse,
  askModel,
  verifyFindings,
  publish,
]

/**
 * What became of a request: a review that was posted, or an end without one. Either way the job is complete.
 * `verdict` is what the pull request then shows; null where there is nothing to show. `waits`: for somebody, who
 * must be told.
 */
export type PipelineResult =
  | { did: 'review'; review: Review }
  | { did: 'finish'; reason: string; verdict: Verdict | null; waits?: true }

/**
 * Takes a request through every stage, or to the one that finishes it. What an earlier attempt has committed
 * to is posted as it is, whatever became of the pull request since: half of it may stand there already.
 */
export async function runPipeline(
  request: ReviewRequest,
  ports: ReviewPorts,
  log: Log,
): Promise<PipelineResult> {
  const committed = await ports.committed()
  if (committed) {
    const outcome = await measured(publish.name, () => postIntended(request, committed, ports))
    log.info({ stage: publish.name, did: outcome.did }, 'posted what an earlier attempt had committed to')
    return { did: 'review', review: committed.review }
  }
  const draft = newDraft(request)
  try {
    for (const [index, stage] of PIPELINE.entries()) {
      ports.signal.throwIfAborted()
      await ports.progress(stage.name, Math.round((100 * index) / PIPELINE.length))
      const outcome = await measured(stage.name, () => stage.run(draft, ports))
      const reason = outcome.did === 'continue' ? undefined : outcome.reason
      log.info(
        { stage: stage.name, did: outcome.did, reason },
        reason ? `${stage.name}: ${reason}` : stage.name,
      )
      if (outcome.did === 'finish') return outcome
    }
  } finally {
    await draft.source?.close()
  }
  if (!draft.review) throw new Error('the pipeline ended without a review')
  return { did: 'review', review: draft.review }
}

/** Does a stage, measured and traced. Why it skipped or failed may quote the repository, and is not told. */
async function measured(stage: string, run: () => Promise<StageOutcome>): Promise<StageOutcome> {
  const began = performance.now()
  let did: StageOutcome['did'] | 'fail' = 'fail'
  try {
    return await traced({ name: `stage ${stage}` }, async () => {
      const outcome = await run()
      did = outcome.did
      annotate({ 'kodus.stage.did': did })
      return outcome
    })
  } finally {
    stageDuration.record({ stage, did }, secondsSince(began))
  }
}
