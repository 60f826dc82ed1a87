import type { IntakeQueue } from '../jobs/queue.ts'
import type { Delivery } from '../jobs/review-request.ts'
import { KodusError, messageOf } from '../lib/errors.ts'
import { within } from '../lib/within.ts'
import type { RecordedDelivery } from '../store/record-deliveries.ts'
import type { DeliveryBatcher } from './batch-deliveries.ts'
import type { CircuitBreaker, GuardedCall } from './circuit-breaker.ts'

/** How long the database may take, and the broker before or after it: the answer is out within 3 s either way. */
export const DATABASE_DEADLINE_MS = 1_500
const BROKER_DEADLINE_MS = 1_300

/** Between probes of a failing database. Each costs one webhook up to 1.5 s; nobody else waits for it. */
export const DATABASE_PAUSES = { firstPauseMs: 500, longestPauseMs: 5_000 }

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

/**
 * @param breaker of the database: while it is open, the broker goes first, so that nobody waits in vain
 * @param intake undefined without a broker: the database is then asked whatever the breaker says, since a webhook
 * that is sent away may never come again
 */
export function createMakeDurable({
  batcher,
  breaker,
  intake,
}: {
  batcher: DeliveryBatcher
  breaker: CircuitBreaker
  intake: IntakeQueue | undefined
}): MakeDurable {
  const database = async (delivery: Delivery, call: GuardedCall): Promise<Receipt> => {
    try {
      const recorded = await batcher.add(delivery)
      call.succeeded()
      return { by: 'database', recorded }
    } catch (error) {
      // A database that refuses a value is a database that works.
      if (isRefusal(error)) call.succeeded()
      else call.failed()
      throw error
    }
  }

  const broker = intake && brokerStore(intake)

  return async (delivery) => {
    const call = breaker.admit()
    const askDatabase: MakeDurable = (asked) => database(asked, call ?? breaker.insist())
    const stores = !broker ? [askDatabase] : call ? [askDatabase, broker] : [broker, askDatabase]
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
