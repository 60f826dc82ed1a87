import * as v from 'valibot'
import { MAX_DESCRIPTION_LENGTH, MAX_TITLE_LENGTH, nameSchema, proseSchema } from '../webhook-schema.ts'

const CommitId = v.pipe(v.string(), v.regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, 'must be a full commit id'))

const Side = v.object({ sha: CommitId, ref: nameSchema(1_000) })

const Id = v.pipe(v.number(), v.safeInteger('must be a whole number'), v.minValue(1, 'must be positive'))

const Repository = v.object({ full_name: nameSchema(300), owner: v.object({ login: nameSchema(150) }) })

/** Of GitHub's 24 kB `pull_request` event, the part that is read. The rest may change as it likes. */
export const PullRequestEvent = v.object({
  action: nameSchema(100),
  pull_request: v.object({
    number: Id,
    title: proseSchema(MAX_TITLE_LENGTH),
    body: v.nullish(proseSchema(MAX_DESCRIPTION_LENGTH)),
    state: v.picklist(['open', 'closed'], 'must be "open" or "closed"'),
    draft: v.optional(v.boolean(), false),
    merged: v.nullish(v.boolean()),
    updated_at: v.pipe(v.string(), v.isoTimestamp('must be an ISO 8601 time')),
    base: Side,
    head: Side,
  }),
  /** With `edited`: what was there before. */
  changes: v.nullish(v.object({ base: v.nullish(v.looseObject({})) })),
  repository: Repository,
  sender: v.nullish(v.object({ login: nameSchema(150) })),
})

export type PullRequestEvent = v.InferOutput<typeof PullRequestEvent>

const Comment = v.object({
  id: Id,
  body: v.nullish(v.string()),
  /** The comment that began the thread; absent for the one that does. */
  in_reply_to_id: v.nullish(Id),
})

/** Of `issue_comment` and `pull_request_review_comment`, the part that is read. */
export const CommentEvent = v.object({
  action: nameSchema(100),
  /** In the conversation of an issue; of a pull request, where it has this key. */
  issue: v.optional(v.object({ number: Id, pull_request: v.nullish(v.looseObject({})) })),
  /** At a line of its change. */
  pull_request: v.optional(v.object({ number: Id })),
  comment: Comment,
  repository: Repository,
  sender: v.object({ login: nameSchema(150), type: v.optional(v.string()) }),
})

export type CommentEvent = v.InferOutput<typeof CommentEvent>

/** What every event is: a JSON object. */
export const AnyEvent = v.looseObject({})
