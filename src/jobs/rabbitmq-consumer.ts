import type { ConfirmChannel, ConsumeMessage } from 'amqplib'
import { settledWithin } from '../lib/settled-within.ts'
import type { Consumer } from './queue.ts'
import { keepConnected, type RabbitmqOptions } from './rabbitmq-connection.ts'
import { declareQueue, type QueueName } from './topology.ts'

export interface RabbitmqConsumerOptions extends RabbitmqOptions {
  queue: QueueName
  /** Messages in hand at a time. */
  slots: number
  /** Milliseconds after which a message is acknowledged although `handle` has not settled. */
  acknowledgeWithinMs?: number
  /** Says what becomes of a message. Must not throw. */
  handle(content: Buffer, stopping: AbortSignal, message: ConsumeMessage): Promise<Outcome>
}

/** `reject` sends it to the dead letters, `release` back to the queue. */
export type Outcome = 'acknowledge' | 'reject' | 'release'

const CANCEL_TIMEOUT_MS = 1_000

interface Delivered {
  channel: ConfirmChannel
  message: ConsumeMessage
}

/**
 * Consumes a queue on a connection of its own: a broker short of disk or memory stops reading from those
 * that publish, and acknowledgements must still get through.
 */
export function startRabbitmqConsumer(
  options: RabbitmqConsumerOptions,
): Consumer & { close(): Promise<void> } {
  const { queue, slots, acknowledgeWithinMs, handle } = options
  const stopping = new AbortController()
  // More than `slots` can arrive: after a reconnect the broker sends again what is still in hand here, and
  // what was acknowledged early still holds its slot.
  let waiting: Delivered[] = []
  let inHand = 0

  const connection = keepConnected(options, `to consume ${queue}`, async (channel, model) => {
    await declareQueue(model, queue)
    channel.on('close', () => {
      waiting = []
      if (stopping.signal.aborted) void connection.close()
    })
    await channel.prefetch(slots)
    const { consumerTag } = await channel.consume(queue, (message) => {
      if (!message) return connection.drop('the broker cancelled the consumer')
      waiting.push({ channel, message })
      next()
    })
    return { cancel: () => channel.cancel(consumerTag) }
  })

  function next(): void {
    const free = stopping.signal.aborted ? 0 : slots - inHand
    for (const delivered of waiting.splice(0, free)) void take(delivered)
    if (!stopping.signal.aborted) return
    for (const delivered of waiting.splice(0)) settle(delivered, 'release')
    if (inHand === 0) void connection.close()
  }

  async function take(delivered: Delivered): Promise<void> {
    inHand += 1
    let unsettled = true
    const settleOnce = (outcome: Outcome) => {
      if (unsettled) settle(delivered, outcome)
      unsettled = false
    }
    const timer = acknowledgeWithinMs && setTimeout(settleOnce, acknowledgeWithinMs, 'acknowledge').unref()
    settleOnce(await handle(delivered.message.content, stopping.signal, delivered.message))
    clearTimeout(timer)
    inHand -= 1
    next()
  }

  return {
    async stop() {
      stopping.abort()
      const session = connection.session()
      if (!session) return connection.close()
      await settledWithin(CANCEL_TIMEOUT_MS, session.cancel())
      next()
    },
    close: () => {
      stopping.abort()
      return connection.close()
    },
    sinceTurnMs: () => (connection.session() ? 0 : Number.POSITIVE_INFINITY),
  }
}

/** On a channel that is gone this does nothing: the broker has taken the message back already. */
function settle({ channel, message }: Delivered, outcome: Outcome): void {
  try {
    if (outcome === 'acknowledge') channel.ack(message)
    else channel.nack(message, false, outcome === 'release')
  } catch {}
}
