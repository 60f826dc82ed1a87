import type { ChannelModel } from 'amqplib'
import { KodusError, messageOf } from '../lib/errors.ts'

export const EXCHANGE = 'workflow.exchange'
export const JOBS_QUEUE = 'workflow.jobs.queue'
export const INTAKE_QUEUE = 'workflow.intake.queue'
export const INTAKE_KEY = 'workflow.intake'
export const DEAD_LETTER_EXCHANGE = 'workflow.exchange.dlx'
export const DEAD_LETTER_QUEUE = 'workflow.jobs.dlq'

/** What a job is published under, by its type. */
export function routingKey(type: string): string {
  return `workflow.jobs.created.${type}`
}

/**
 * Arguments can never be changed on a queue that exists. From 4.0 on a quorum queue drops a message at its
 * 21st delivery unless told otherwise (reading a dead-letter queue counts), and -1 for "no limit" is unknown
 * to 3.10: so it is the largest number both accept.
 */
const QUORUM = { 'x-queue-type': 'quorum', 'x-delivery-limit': 2_147_483_647 }

/** `at-least-once`, so that what is dead-lettered survives a node's death; RabbitMQ wants the overflow with it. */
const WITH_DEAD_LETTERS = {
  ...QUORUM,
  'x-dead-letter-exchange': DEAD_LETTER_EXCHANGE,
  'x-dead-letter-strategy': 'at-least-once',
  'x-overflow': 'reject-publish',
}

/**
 * Declares every exchange, queue and binding the product uses; what already exists is left as it is. Run on
 * every connect, so that no process depends on another having been there first, or on nobody having deleted
 * anything since.
 *
 * @throws KodusError TOPOLOGY_MISMATCH when something exists with other arguments
 */
export async function declareTopology(connection: ChannelModel): Promise<void> {
  const channel = await connection.createChannel()
  channel.on('error', () => {}) // The failed call below rejects with it too.
  try {
    await channel.assertExchange(DEAD_LETTER_EXCHANGE, 'topic', { durable: true })
    await channel.assertQueue(DEAD_LETTER_QUEUE, { durable: true, arguments: QUORUM })
    await channel.bindQueue(DEAD_LETTER_QUEUE, DEAD_LETTER_EXCHANGE, '#')

    await channel.assertExchange(EXCHANGE, 'topic', { durable: true })
    await channel.assertQueue(JOBS_QUEUE, { durable: true, arguments: WITH_DEAD_LETTERS })
    await channel.bindQueue(JOBS_QUEUE, EXCHANGE, 'workflow.jobs.created.#')
    await channel.assertQueue(INTAKE_QUEUE, { durable: true, arguments: WITH_DEAD_LETTERS })
    await channel.bindQueue(INTAKE_QUEUE, EXCHANGE, INTAKE_KEY)
  } catch (error) {
    throw mismatch(error) ?? error
  }
  await channel.close()
}

/** RabbitMQ's own words: `inequivalent arg 'x-queue-type' for queue 'workflow.jobs.queue' in vhost '/': …` */
function mismatch(error: unknown): KodusError | undefined {
  const [, argument, kind, name, details] =
    /inequivalent arg '([^']+)' for (queue|exchange) '([^']+)' in vhost '[^']*': ([^"]*)/.exec(
      messageOf(error),
    ) ?? []
  if (!name) return undefined
  return new KodusError(
    'TOPOLOGY_MISMATCH',
    `The ${kind} ${name} exists with another ${argument}: ${details}.`,
    {
      help: `Stop all components, move what ${name} still holds, delete the ${kind}, and start again: it is declared anew. Or give RABBITMQ_URL a virtual host of its own.`,
      cause: error,
    },
  )
}
