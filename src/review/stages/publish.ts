import { changeOf, type Draft } from '../draft.ts'
import { namePaths } from '../name-paths.ts'
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
  const { base, head, files } = changeOf(draft)
  const { findings, notes, model } = draft
  const secretsOnly = model.used ? [] : draft.readByNoRule
  const reason = 'scanned for secrets only: no rule read it, and no model was asked'
  return {
    base,
    head,
    files: {
      changed: files.length,
      reviewed: draft.files.length - secretsOnly.length,
      secretsOnly: secretsOnly.length,
    },
    findings,
    notes: secretsOnly.length > 0 ? [...notes, { about: namePaths(secretsOnly), reason }] : notes,
    model,
  }
}
