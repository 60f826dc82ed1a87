import { createHash } from 'node:crypto'
import { v5 as uuidv5 } from 'uuid'

/** The forges of this build. A test compares it with the folders of `src/forges`. */
export type ForgeName = 'git' | 'github'

/**
 * What a webhook asks for, narrowed to a few hundred bytes. It is the payload of a `code-review` job, and
 * all that is ever kept of the forge's own body.
 */
export interface ReviewRequest {
  /** As the forge names it: `owner/name`, or the URL or path of a plain git repository. */
  repository: string
  /** Who owns it, for limits and listings: the owner's name, or the URL's host. */
  organisation: string
  /** The pull request's key in its repository: a number, or a branch name; null where the forge told none. */
  pullRequest: string | null
  /** A commit id, or (plain git) a branch or tag. */
  base: string
  head: string
  title: string
  description: string
  branch: string | null
  /** The account whose action caused the webhook. */
  sender: string | null
  /** What happened at the forge: `opened`, `synchronize`, …; `command` where a person asked for it. */
  action: string
  /** The branch that the change wants to go to, where the forge names one: its tip is what is compared with. */
  baseBranch?: string | null
  draft?: boolean
  /** Asked for by a command: reviewed whole, and although its head was reviewed before. */
  force?: boolean
  /** A head that was reviewed is told anew, without what people dismissed since. Nothing is read again. */
  recount?: boolean
  /** Who asked for it by a command, with a write permission that the forge has confirmed. */
  approvedBy?: string | null
}

export const COMMANDS = ['review', 'pause', 'resume', 'ignore', 'help'] as const

export type CommandName = (typeof COMMANDS)[number]

/** A comment that addresses the reviewer. It is the payload of a `command` job; nothing in it is confirmed yet. */
export interface CommandRequest {
  repository: string
  organisation: string
  pullRequest: string
  /** `unknown`: the reviewer was addressed with another word; it answers with help. */
  command: CommandName | 'unknown'
  force: boolean
  /** The account that wrote the comment. */
  sender: string
  comment: {
    /** The forge's id of the comment. */
    id: string
    /** In the conversation, or in a thread at a line of the change. */
    place: 'conversation' | 'thread'
    /** For `thread`: the id of the comment that began the thread. */
    threadId: string | null
  }
}

/** What jobs carry, by their type. */
export interface JobPayloads {
  'code-review': ReviewRequest
  command: CommandRequest
}

export type JobTypeName = keyof JobPayloads

/** A pull request as the forge last told of it. "Newer" means `updatedAt`, never the order of arrival. */
export interface PullRequestState {
  repository: string
  pullRequest: string
  head: string
  state: 'open' | 'closed' | 'merged'
  draft: boolean
  /** ISO 8601, the forge's own clock; null where it tells none: then `receivedAt` counts. */
  updatedAt: string | null
}

/** A verified delivery, narrowed: everything the store and the intake queue need, in JSON. */
export interface Delivery {
  forge: ForgeName
  deliveryId: string
  jobId: string
  /** Of the body's verified signature, hex: a captured body under a fresh delivery id is still the same delivery. */
  digest: string
  /** ISO 8601, when the handler had it: counts where the forge dates nothing, and where two dates are equal. */
  receivedAt: string
  /** The type of the job that `request` or `command` asks for is told by which of them is there. */
  request?: ReviewRequest
  command?: CommandRequest
  pullRequest?: PullRequestState
  /** Of the span in which it was received (W3C Trace Context): its job goes on with that trace. */
  traceparent?: string | undefined
}

const JOB_NAMESPACE = 'f2a7a1c6-41a0-4dc3-8d0e-6f5b4c8f9a11'

/**
 * The job of a delivery: UUIDv5 of forge and delivery id. Deterministic, so that every path a delivery can
 * take (database, broker, another handler, again next week) meets in one row.
 */
export function jobIdOf(forge: ForgeName, deliveryId: string): string {
  return uuidv5(`${forge}:${deliveryId}`, JOB_NAMESPACE)
}

/** A delivery of our own: nobody sent and signed it. What is told again under the same id is done once. */
export function ownDelivery(forge: ForgeName, deliveryId: string): Delivery {
  return {
    forge,
    deliveryId,
    jobId: jobIdOf(forge, deliveryId),
    digest: createHash('sha256').update(deliveryId).digest('hex'),
    receivedAt: new Date().toISOString(),
  }
}
