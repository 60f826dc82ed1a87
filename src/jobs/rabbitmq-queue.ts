import { setTimeout as sleep } from 'node:timers/promises'
import { KodusError, messageOf } from '../lib/errors.ts'
import { settledWithin } from '../lib/settled-within.ts'
import { parseDelivery, parseJobMessage } from './parse-message.ts'
import type { IntakeQueue, JobQueue } from './queue.ts'
import type { RabbitmqOptions } from './rabbitmq-connection.ts'
import { startRabbitmqConsumer } from './rabbitmq-consumer.ts'
import { createRabbitmqPublisher } from './rabbitmq-publisher.ts'
import { createTokenSpender } from './spend-tokens.ts'
import { INTAKE_KEY, INTAKE_QUEUE, JOBS_QUEUE, routingKey } from './topology.ts'

/** How long a committed row waits for its own publish, which takes 2 s at most. */
const OUTBOX_DELAY_MS = 5_000
/** Brokers cut off a consumer that leaves a message unacknowledged for 30 minutes. */
const ACKNOWLEDGE_WITHIN_MS = 20 * 60_000
const STOP_TIMEOUT_MS = 2_000
/** Deliveries a worker records at a time. */
const RECORDERS = 16
const FIRST_RECORD_RETRY_MS = 250
const LAST_RECORD_RETRY_MS = 15_000

/**
 * The queue on RabbitMQ. Connects in the background and stays connected: a broker that is away stops
 * nobody's start, and consumers begin, or begin again, by themselves.
 *
 * @throws KodusError RABBITMQ_URL_INVALID or RABBITMQ_CA_UNREADABLE
 */
export function createRabbitmqQueue(options: RabbitmqOptions): JobQueue & { intake: IntakeQueue } {
  const { log } = options
  const publisher = createRabbitmqPublisher(options)
  const closes = [publisher.close]

  const consume = (consumer: Omit<Parameters<typeof startRabbitmqConsumer>[0], keyof RabbitmqOptions>) => {
    const started = startRabbitmqConsumer({ ...options, ...consumer })
    closes.push(started.close)
    return started
  }

  const intake: IntakeQueue = {
    send: (delivery) =>
      publisher.publish(INTAKE_QUEUE, [
        { routingKey: INTAKE_KEY, messageId: delivery.jobId, body: delivery },
      ]),

    isUp: () => publisher.isUp(INTAKE_QUEUE),

    depth: () => publisher.queueDepth(INTAKE_QUEUE),

    record: async (record) =>
      consume({
        queue: INTAKE_QUEUE,
        slots: RECORDERS,
        async handle(content, stopping) {
          const delivery = parseDelivery(content)
          if (!delivery) {
            log.error(`a message in ${INTAKE_QUEUE} is not a delivery: moved to the dead letters`)
            return 'reject'
          }
          const { jobId, deliveryId } = delivery
          // Tried again in hand: while PostgreSQL is away, giving it back would only bring it here again.
          for (let wait = FIRST_RECORD_RETRY_MS; ; wait = Math.min(wait * 2, LAST_RECORD_RETRY_MS)) {
            try {
              await record(delivery)
              return 'acknowledge'
            } catch (error) {
              if (error instanceof KodusError && error.retryability === 'permanent') {
                log.error({ jobId, deliveryId }, `delivery moved to the dead letters: ${error.message}`)
                return 'reject'
              }
              log.warn({ jobId, deliveryId }, `delivery kept in the queue: ${messageOf(error)}`)
            }
            await sleep(wait, undefined, { signal: stopping }).catch(() => {})
            if (stopping.aborted) return 'release'
          }
        },
      }),
  }

  return {
    technology: 'rabbitmq',
    outboxDelayMs: OUTBOX_DELAY_MS,
    intake,
    isUp: () => publisher.isUp(JOBS_QUEUE),

    publish: (messages) =>
      publisher.publish(
        JOBS_QUEUE,
        messages.map((body) => ({ routingKey: routingKey(body.type), messageId: body.jobId, body })),
      ),

    async consume(taker) {
      const tokens = createTokenSpender(taker, log)
      const consumer = consume({
        queue: JOBS_QUEUE,
        slots: taker.slots,
        acknowledgeWithinMs: ACKNOWLEDGE_WITHIN_MS,
        async handle(content, stopping) {
          if (parseJobMessage(content)) return tokens.spend(stopping)
          log.error(`a message in ${JOBS_QUEUE} is not a job: moved to the dead letters`)
          return 'reject'
        },
      })
      return {
        // Jobs being claimed at this moment are still run: left alone, they would wait for their lease to lapse.
        async stop() {
          await consumer.stop()
          await settledWithin(STOP_TIMEOUT_MS, tokens.settled())
        },
        sinceTurnMs: () => Math.max(consumer.sinceTurnMs(), tokens.claimingMs()),
      }
    },

    depth: () => publisher.queueDepth(JOBS_QUEUE),

    close: async () => void (await Promise.all(closes.map((close) => close()))),
  }
}
