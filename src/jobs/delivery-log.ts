import type { Delivery } from './review-request.ts'

/** A delivery that the forge tried to hand over, and could not. */
export interface FailedDelivery {
  /** The forge's id of the delivery: the same in every attempt. */
  deliveryId: string
  /** The newest attempt that failed. */
  attemptId: string
  /** Which hook it belongs to: `app`, or `owner/name/123` for the hook of a repository. */
  source: string
  event: string
  /** ISO 8601. */
  failedAt: string
  /** What came of it: an HTTP status, or the forge's words. */
  failure: string
}

/** A delivery with its newest attempt, whatever came of that: `failedAt` and `failure` say when it was, and what. */
export interface SentDelivery extends FailedDelivery {
  /** Whether the forge saw an attempt succeed. */
  arrived: boolean
}

/** What a forge says of the deliveries that failed, or of all. */
export interface DeliveryReport {
  /** Oldest first. A later attempt may have succeeded: not every forge tells. */
  deliveries: SentDelivery[]
  /** Hooks that could not be asked, and why: they hide nothing of the others. */
  unread: { source: string; reason: string }[]
}

/** What a forge remembers of the webhooks it sent. */
export interface DeliveryLog {
  /**
   * Deliveries with an attempt since then that failed. Events that ask for nothing are not among them.
   *
   * @throws KodusError when the forge cannot be asked at all
   */
  failedSince(since: Date, signal: AbortSignal): Promise<DeliveryReport>
  /**
   * All deliveries with an attempt since then, but for events that ask for nothing.
   *
   * @throws KodusError when the forge cannot be asked at all, or has sent more than can be looked through
   */
  sentSince(since: Date, signal: AbortSignal): Promise<DeliveryReport>
  /** Asks the forge to try once more. @throws KodusError when it will not */
  redeliver(delivery: FailedDelivery, signal: AbortSignal): Promise<void>
}

/** Asks a forge what happened, where it cannot reach us with webhooks. */
export interface EventSource {
  /** The repositories that are to be asked about. */
  readonly repositories: readonly string[]
  /**
   * What happened in a repository since `cursor` (null: nothing is known yet, begin now), as deliveries whose
   * ids are the same each time the same thing is told. `unread`: what could not be made sense of, and why.
   */
  happenedSince(
    repository: string,
    cursor: string | null,
    signal: AbortSignal,
  ): Promise<{ deliveries: Delivery[]; unread: string[]; cursor: string }>
}
