import { setTimeout as sleep } from 'node:timers/promises'
import type { ConsumeMessage } from 'amqplib'
import { messageOf } from '../lib/errors.ts'
import type { DeadMessage } from '../store/keep-dead-letter.ts'
import type { Consumer } from './queue.ts'
import type { RabbitmqOptions } from './rabbitmq-connection.ts'
import { startRabbitmqConsumer } from './rabbitmq-consumer.ts'
import { DEAD_LETTER_QUEUE } from './topology.ts'

/** One at a time: they are rare, and one of a stranger's may be as large as the broker takes. */
const SLOTS = 1
const FIRST_RETRY_MS = 250
const LAST_RETRY_MS = 15_000

export interface DeadLetterOptions extends RabbitmqOptions {
  /** A message is acknowledged when this resolves, and kept in the broker while it throws. */
  keep(message: DeadMessage): Promise<unknown>
}

/**
 * Takes what no component could read out of the dead-letter queue, to where a person sees it. Bodies are bytes,
 * whatever they are. While they cannot be kept, they stay in the broker.
 *
 * @throws KodusError RABBITMQ_URL_INVALID or RABBITMQ_CA_UNREADABLE
 */
export function collectDeadLetters({
  keep,
  ...options
}: DeadLetterOptions): Consumer & { close(): Promise<void> } {
  const { log } = options
  return startRabbitmqConsumer({
    ...options,
    queue: DEAD_LETTER_QUEUE,
    slots: SLOTS,
    async handle(body, stopping, message) {
      const dead = { ...originOf(message), body }
      // Tried again in hand: giving it back would only bring it here again.
      for (let wait = FIRST_RETRY_MS; ; wait = Math.min(wait * 2, LAST_RETRY_MS)) {
        try {
          await keep(dead)
          log.error(`a message of ${dead.queue} is dead (${dead.reason}): see \`kodus jobs dead\``)
          return 'acknowledge'
        } catch (error) {
          log.warn(`a dead letter stays in ${DEAD_LETTER_QUEUE}: ${messageOf(error)}`)
        }
        await sleep(wait, undefined, { signal: stopping }).catch(() => {})
        if (stopping.aborted) return 'release'
      }
    },
  })
}

/** Where a message died and why, by the header that the broker adds; without it, somebody put it here. */
function originOf({ fields, properties }: ConsumeMessage): Omit<DeadMessage, 'body'> {
  // The header is the broker's, but anybody may publish here with one of their own.
  const deaths: unknown = properties.headers?.['x-death']
  const [death] = (Array.isArray(deaths) ? deaths : []) as [{ queue?: unknown; reason?: unknown }?]
  return {
    queue: typeof death?.queue === 'string' ? death.queue : DEAD_LETTER_QUEUE,
    routingKey: fields.routingKey,
    reason: typeof death?.reason === 'string' ? death.reason : 'published here',
    messageId: typeof properties.messageId === 'string' ? properties.messageId : null,
  }
}
