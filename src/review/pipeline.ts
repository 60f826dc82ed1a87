import type { ReviewRequest } from '../jobs/review-request.ts'
import type { Log } from '../lib/log.ts'
import { newDraft } from './draft.ts'
import type { Review } from './review.ts'
import type { ReviewPorts, Stage } from './stage.ts'
import { analyse } from './stages/analyse.ts'
import { askModel } from './stages/ask-model.ts'
import { gatherChange } from './stages/gather-change.ts'
import { loadConfig } from './stages/load-config.ts'
import { publish } from './stages/publish.ts'
import { selectFiles } from './stages/select-files.ts'
import { verifyFindings } from './stages/verify-findings.ts'

/** The product, as a list. */
export const PIPELINE: readonly Stage[] = [
  gatherChange,
  loadConfig,
  selectFiles,
  analyse,
  askModel,
  verifyFindings,
  publish,
]

/** Takes a request through every stage and returns the review that was posted. */
export async function runPipeline(request: ReviewRequest, ports: ReviewPorts, log: Log): Promise<Review> {
  const draft = newDraft(request)
  try {
    for (const [index, stage] of PIPELINE.entries()) {
      ports.signal.throwIfAborted()
      await ports.progress(stage.name, Math.round((100 * index) / PIPELINE.length))
      const outcome = await stage.run(draft, ports)
      log.info(
        { stage: stage.name, ...outcome },
        outcome.did === 'skip' ? `${stage.name}: ${outcome.reason}` : stage.name,
      )
    }
  } finally {
    await draft.source?.close()
  }
  if (!draft.review) throw new Error('the pipeline ended without a review')
  return draft.review
}
