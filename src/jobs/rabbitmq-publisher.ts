import type { Channel, ChannelModel, ConfirmChannel } from 'amqplib'
import { KodusError, messageOf } from '../lib/errors.ts'
import { type DeclaredQueues, keepDeclared } from './keep-declared.ts'
import { keepConnected, type RabbitmqOptions } from './rabbitmq-connection.ts'
import { EXCHANGE, type QueueName } from './topology.ts'

export interface Outgoing {
  routingKey: string
  messageId: string
  /** Sent as JSON. */
  body: object
}

export interface RabbitmqPublisher {
  /**
   * Resolves once the broker has confirmed that every message is on disk in a queue.
   *
   * @param queue that the messages are for: one that exists with other arguments takes none, and the others do
   * @throws KodusError QUEUE_UNAVAILABLE within 2 s; some of the messages may have got through
   */
  publish(queue: QueueName, messages: readonly Outgoing[]): Promise<void>
  /**
   * How many messages wait in a queue, not counting those that consumers have in hand. Holds up no publish.
   * @throws KodusError QUEUE_UNAVAILABLE within 2 s
   */
  queueDepth(queue: QueueName): Promise<number>
  /** Whether a publish to this queue would have a chance now. */
  isUp(queue: QueueName): boolean
  close(): Promise<void>
}

const TIMEOUT_MS = 2_000

interface Session {
  channel: ConfirmChannel
  queues: DeclaredQueues
  /** A channel of its own, opened when first asked for: the broker closes one on which a queue is not found. */
  asking(): Promise<Channel>
  /** Why no confirm counts any more. */
  unroutable?: Error
}

export function createRabbitmqPublisher(options: RabbitmqOptions): RabbitmqPublisher {
  let blocked = false

  const connection = keepConnected(options, 'to publish', async (channel, model) => {
    blocked = false
    // Sent to those who publish while the broker is short of disk or memory; confirms stay away until the end of it.
    model.on('blocked', (reason) => {
      blocked = true
      options.log.warn(`RabbitMQ takes no messages: ${reason}`)
    })
    model.on('unblocked', () => {
      blocked = false
      options.log.info('RabbitMQ takes messages again')
    })
    const queues = await keepDeclared(model, options.log)
    const session: Session = { channel, queues, asking: openOnce(model) }
    // What no queue is bound for is returned, and then confirmed all the same.
    channel.on('return', ({ fields }) => {
      session.unroutable = new Error(`no queue is bound for ${fields.routingKey}`)
      connection.drop('a queue or binding has gone') // To declare it again.
    })
    return session
  })

  function openOnce(model: ChannelModel): () => Promise<Channel> {
    let opening: Promise<Channel> | undefined
    const open = async () => {
      const channel = await model.createChannel()
      channel.on('error', () => {}) // 'close' follows.
      channel.on('close', () => connection.drop('a queue has gone'))
      return channel
    }
    return () => {
      opening ??= open()
      return opening
    }
  }

  /** Does `work` on the connection that lives; one that does not answer in time is given up. */
  async function ask<Answer>(work: (session: Session) => Promise<Answer>, missing: string): Promise<Answer> {
    let timer: NodeJS.Timeout | undefined
    const deadline = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`no ${missing} within ${TIMEOUT_MS} ms`))
        if (!blocked) connection.drop(`the ${missing} stayed away`)
      }, TIMEOUT_MS)
    })
    try {
      return await Promise.race([connected().then(work), deadline])
    } catch (cause) {
      throw new KodusError(
        'QUEUE_UNAVAILABLE',
        `RabbitMQ did not do what it was asked: ${messageOf(cause)}`,
        {
          help:
            cause instanceof KodusError
              ? cause.help
              : 'Check that the broker runs, that RABBITMQ_URL reaches it, and that it has disk and memory left.',
          retryability: 'transient',
          cause,
        },
      )
    } finally {
      clearTimeout(timer)
    }
  }

  async function connected(): Promise<Session> {
    await connection.attempted
    const session = connection.session()
    if (!session) throw new Error('no connection')
    if (blocked) throw new Error('the broker is short of disk or memory')
    return session
  }

  return {
    publish: async (queue, messages) => {
      if (messages.length > 0) await ask((session) => send(session, queue, messages), 'confirm')
    },
    queueDepth: (queue) =>
      ask(async ({ asking }) => (await (await asking()).checkQueue(queue)).messageCount, 'queue depth'),
    isUp: (queue) => {
      const session = connection.session()
      return session !== undefined && !blocked && !session.queues.whyNot(queue)
    },
    close: connection.close,
  }
}

/** One promise for all of them: with thousands of messages a second, one for each is a cost that shows. */
function send(session: Session, queue: QueueName, messages: readonly Outgoing[]): Promise<void> {
  const mismatch = session.queues.whyNot(queue)
  if (mismatch) return Promise.reject(mismatch)
  return new Promise((resolve, reject) => {
    let unconfirmed = messages.length
    const confirm = (error: unknown) => {
      if (error || session.unroutable) reject(error || session.unroutable)
      unconfirmed -= 1
      if (unconfirmed === 0) resolve()
    }
    for (const { routingKey, messageId, body } of messages) {
      const content = Buffer.from(JSON.stringify(body))
      session.channel.publish(EXCHANGE, routingKey, content, { ...PROPERTIES, messageId }, confirm)
    }
  })
}

const PROPERTIES = { mandatory: true, persistent: true, contentType: 'application/json' }
