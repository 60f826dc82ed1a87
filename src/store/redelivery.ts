import type { FailedDelivery } from '../jobs/delivery-log.ts'
import type { ForgeName } from '../jobs/review-request.ts'

export type RedeliveryOutcome = 'found' | 'requested' | 'recovered' | 'refused' | 'given-up'

/** A delivery that failed at the forge, and what was done about it. */
export interface Redelivery extends FailedDelivery {
  forge: ForgeName
  requests: number
  requestedAt: Date | null
  outcome: RedeliveryOutcome
  detail: string | null
}

/** The columns of a `Redelivery`; the table is called `r`. */
export const REDELIVERY_COLUMNS = `r.forge, r.delivery_id as "deliveryId", r.attempt_id as "attemptId", r.source, r.event,
  to_char(r.failed_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "failedAt", r.failure, r.requests,
  r.requested_at as "requestedAt", r.outcome, r.detail`
