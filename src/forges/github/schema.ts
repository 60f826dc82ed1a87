import * as v from 'valibot'
import { MAX_DESCRIPTION_LENGTH, MAX_TITLE_LENGTH, nameSchema, proseSchema } from '../webhook-schema.ts'

const CommitId = v.pipe(v.string(), v.regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, 'must be a full commit id'))

const Side = v.object({ sha: CommitId, ref: nameSchema(1_000) })

/** Of GitHub's 24 kB `pull_request` event, the part that is read. The rest may change as it likes. */
export const PullRequestEvent = v.object({
  action: nameSchema(100),
  pull_request: v.object({
    number: v.pipe(v.number(), v.safeInteger('must be a whole number'), v.minValue(1, 'must be positive')),
    title: proseSchema(MAX_TITLE_LENGTH),
    body: v.nullish(proseSchema(MAX_DESCRIPTION_LENGTH)),
    state: v.picklist(['open', 'closed'], 'must be "open" or "closed"'),
    draft: v.optional(v.boolean(), false),
    merged: v.nullish(v.boolean()),
    updated_at: v.pipe(v.string(), v.isoTimestamp('must be an ISO 8601 time')),
    base: Side,
    head: Side,
  }),
  repository: v.object({ full_name: nameSchema(300), owner: v.object({ login: nameSchema(150) }) }),
  sender: v.nullish(v.object({ login: nameSchema(150) })),
})

export type PullRequestEvent = v.InferOutput<typeof PullRequestEvent>

/** What every event is: a JSON object. */
export const AnyEvent = v.looseObject({})
