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

const TOPOLOGY = {
  [DEAD_LETTER_QUEUE]: { exchange: DEAD_LETTER_EXCHANGE, keys: '#', arguments: QUORUM },
  [INTAKE_QUEUE]: { exchange: EXCHANGE, keys: INTAKE_KEY, arguments: WITH_DEAD_LETTERS },
  [JOBS_QUEUE]: { exchange: EXCHANGE, keys: routingKey('#'), arguments: WITH_DEAD_LETTERS },
}

export type QueueName = keyof typeof TOPOLOGY

export const QUEUES = Object.keys(TOPOLOGY) as readonly QueueName[]

/**
 * Declares a queue with the exchange that it is bound to; what already exists is left as it is. Done on every connect,
 * so that no process depends on another having been there first, or on nobody having deleted anything since.
 *
 * @throws KodusError TOPOLOGY_MISMATCH when it exists with other arguments
 */
export async function declareQueue(connection: ChannelModel, queue: QueueName): Promise<void> {
  const { exchange, keys, ...options } = TOPOLOGY[queue]
  const channel = await connection.createChannel()
  channel.on('error', () => {}) // The failed call below rejects with it too.
  try {
    await channel.assertExchange(exchange, 'topic', { durable: true })
    await channel.assertQueue(queue, { durable: true, ...options })
    await channel.bindQueue(queue, exchange, keys)
  } catch (error) {
    throw mismatch(error) ?? error
  }
  await channel.close()
}

/**
 * Declares all that the product uses.
 *
 * @throws KodusError TOPOLOGY_MISMATCH of a queue that exists with other arguments; the others are declared
 */
export async function declareTopology(connection: ChannelModel): Promise<void> {
  const declared = await Promise.allSettled(QUEUES.map((queue) => declareQueue(connection, queue)))
  for (const each of declared) if (each.status === 'rejected') throw each.reason
}

export function isMismatch(error: unknown): error is KodusError {
  return error instanceof KodusError && error.code === 'TOPOLOGY_MISMATCH'
}

const FIRST_MISMATCH_PAUSE_MS = 60_000
const LONGEST_MISMATCH_PAUSE_MS = 5 * 60_000

/** How long to leave a mismatch alone that was met so many times: only a person can mend it. */
export function mismatchPauseMs(times: number): number {
  return Math.min(LONGEST_MISMATCH_PAUSE_MS, FIRST_MISMATCH_PAUSE_MS * 2 ** (times - 1))
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
      help: `See "Changing queue arguments" in docs/operations.md: ${JOBS_QUEUE} may be deleted while all runs, the others once they are empty. It is declared anew by itself. Or give RABBITMQ_URL a virtual host of its own.`,
      cause: error,
    },
  )
}
