import { changeOf, type Draft } from '../draft.ts'
import { postableReview } from '../postable-review.ts'
import type { Review } from '../review.ts'
import { proceed, type Stage, skip } from '../stage.ts'

/**
 * Posts the review once. The intent is committed first; then the forge is looked at, always, for a review
 * that an earlier attempt of this run got through; only then is it posted.
 */
export const publish: Stage = {
  name: 'publish',
  async run(draft, ports) {
    const intent = await ports.intend(finishedReview(draft))
    draft.review = intent.review
    if (intent.posted) return skip('an earlier attempt has posted it')

    const postable = postableReview(intent.review, { jobId: ports.jobId, run: ports.run })
    const { poster } = ports.forge
    const found = await poster.find(draft.request, postable, ports.signal)
    const { url } = found ?? (await poster.post(draft.request, postable, ports.stillOurs, ports.signal))
    await ports.posted(url)
    return found ? skip('found it at the forge, posted by an earlier attempt') : proceed
  },
}

function finishedReview(draft: Draft): Review {
  const change = changeOf(draft)
  return {
    base: change.base,
    head: change.head,
    files: { reviewed: draft.files.length, changed: change.files.length },
    findings: draft.findings,
    notes: draft.notes,
    model: draft.model,
  }
}
