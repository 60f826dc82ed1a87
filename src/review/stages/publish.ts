import type { ReviewRequest } from '../../jobs/review-request.ts'
import { traced } from '../../lib/telemetry/trace.ts'
import { type Draft, sourceOf } from '../draft.ts'
import { namePaths } from '../name-paths.ts'
import { postableReview } from '../postable-review.ts'
import type { Review } from '../review.ts'
import { proceed, type ReviewPorts, type Stage, type StageOutcome, skip } from '../stage.ts'

/**
 * Posts the review once. The intent is committed first; then the forge is brought to the state that the
 * review describes, whatever an earlier attempt of this run has left there.
 */
export const publish: Stage = {
  name: 'publish',
  async run(draft, ports) {
    const intent = await ports.intend(finishedReview(draft))
    draft.review = intent.review
    return await postIntended(draft.request, intent, ports)
  },
}

/**
 * Brings the forge to the state that the review describes, unless that is done. One that is outdated says what it
 * has to say at lines, and leaves the summary to the newer one.
 */
export async function postIntended(
  request: ReviewRequest,
  { review, posted, outdated = false }: { review: Review; posted: boolean; outdated?: boolean },
  ports: ReviewPorts,
): Promise<StageOutcome> {
  if (posted) return skip('an earlier attempt has posted it')
  const whole = postableReview(review, { jobId: ports.jobId, run: ports.run })
  const postable = outdated ? { ...whole, summary: null } : whole
  const { url, adopted } = await traced({ name: 'post review', kind: 'client' }, () =>
    ports.forge.poster.post(request, postable, ports.stillOurs, ports.signal),
  )
  await ports.posted(url)
  return adopted ? skip('found it at the forge, posted by an earlier attempt') : proceed
}

function finishedReview(draft: Draft): Review {
  const { base, head, files, fetchedBytes } = sourceOf(draft).change
  const { request, config, since, unchanged, model, notes } = draft
  const { findings, carried, fixed, returned, forgotten, aliases } = draft
  const read = draft.files.filter(({ touched, rechecked }) => touched.size > (rechecked?.size ?? 0))
  const paths = new Set(read.map(({ path }) => path))
  const secretsOnly = model.used ? [] : draft.readByNoRule.filter((path) => paths.has(path))
  const reason = 'scanned for secrets only: no rule read it, and no model was asked'
  return {
    base,
    head,
    since,
    files: {
      changed: files.length,
      reviewed: read.length - secretsOnly.length,
      secretsOnly: secretsOnly.length,
      ...(unchanged > 0 ? { unchanged } : {}),
    },
    findings,
    carried,
    fixed,
    returned,
    forgotten,
    notes: secretsOnly.length > 0 ? [...notes, { about: namePaths(secretsOnly), reason }] : notes,
    model,
    fetchedBytes,
    ...(request.baseBranch ? { baseBranch: request.baseBranch } : {}),
    unread: [...draft.unread, ...secretsOnly],
    unreadByModel: [...draft.leftByModel, ...(model.used ? draft.unreadByModel : [])],
    aliases,
    wording: {
      language: config.language,
      failOn: config.checks.failOn,
      suggestions: config.enableCommittableSuggestions,
    },
  }
}
