import type { IntakeQueue } from '../jobs/queue.ts'
import type { Delivery } from '../jobs/review-request.ts'
import { KodusError, messageOf } from '../lib/errors.ts'
import { within } from '../lib/within.ts'
import type { RecordedDelivery } from '../store/record-deliveries.ts'
import type { DeliveryBatcher } from './batch-deliveries.ts'

/** How long the database may take, and the broker after it: the answer is out within 3 s either way. */
export const DATABASE_DEADLINE_MS = 1_500
const BROKER_DEADLINE_MS = 1_300

/** How long the broker goes first after the database failed, so that nobody waits for it in vain. */
const SUSPECT_MS = 1_000

/** What was promised, and by which store. */
export interface Receipt {
  by: 'database' | 'broker'
  /** Absent when the delivery asked for no review, and from the broker, which knows of no duplicates. */
  recorded?: RecordedDelivery | undefined
}

/**
 * Resolves once a store has the delivery for good: PostgreSQL, or RabbitMQ while PostgreSQL fails.
 *
 * @throws KodusError STORES_UNAVAILABLE within 3 s when neither took it, DELIVERY_REFUSED when its data are
 * at fault
 */
export type MakeDurable = (delivery: Delivery) => Promise<Receipt>

export function createMakeDurable({
  batcher,
  intake,
}: {
  batcher: DeliveryBatcher
  intake: IntakeQueue | undefined
}): MakeDurable {
  let suspectUntil = 0

  /** Whether the database failed a moment ago. One delivery at a time finds out whether it is back. */
  const isSuspect = () => {
    const now = performance.now()
    if (now < suspectUntil) return true
    if (suspectUntil > 0) suspectUntil = now + DATABASE_DEADLINE_MS
    return false
  }

  const database: MakeDurable = async (delivery) => {
    try {
      const recorded = await batcher.add(delivery)
      suspectUntil = 0
      return { by: 'database', recorded }
    } catch (error) {
      if (!isRefusal(error)) suspectUntil = performance.now() + SUSPECT_MS
      throw error
    }
  }

  const broker = intake && brokerStore(intake)

  return async (delivery) => {
    const stores = !broker ? [database] : isSuspect() ? [broker, database] : [database, broker]
    const reasons: unknown[] = []
    for (const store of stores) {
      try {
        return await store(delivery)
      } catch (error) {
        if (isRefusal(error)) throw error
        reasons.push(error)
      }
    }
    throw new KodusError('STORES_UNAVAILABLE', 'The webhook could not be stored, so it was not accepted.', {
      help: 'Deliver it again once GET /ready answers 200: nothing is lost by sending one twice.',
      retryability: 'transient',
      cause: new AggregateError(reasons, reasons.map(messageOf).join('; ')),
    })
  }
}

function brokerStore(intake: IntakeQueue): MakeDurable {
  return async (delivery) => {
    await within(BROKER_DEADLINE_MS, intake.send(delivery), 'RabbitMQ did not confirm')
    return { by: 'broker' }
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof KodusError && error.code === 'DELIVERY_REFUSED'
}
