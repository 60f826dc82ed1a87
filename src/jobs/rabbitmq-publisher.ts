import { KodusError, messageOf } from '../lib/errors.ts'
import { keepConnected, type RabbitmqOptions } from './rabbitmq-connection.ts'
import { EXCHANGE } from './topology.ts'

export interface Outgoing {
  routingKey: string
  messageId: string
  /** Sent as JSON. */
  body: object
}

export interface RabbitmqPublisher {
  /**
   * Resolves once the broker has confirmed that every message is on disk in a queue.
   * @throws KodusError QUEUE_UNAVAILABLE within 2 s; some of the messages may have got through
   */
  publish(messages: readonly Outgoing[]): Promise<void>
  isUp(): boolean
  close(): Promise<void>
}

const TIMEOUT_MS = 2_000

export function createRabbitmqPublisher(options: RabbitmqOptions): RabbitmqPublisher {
  let blocked = false
  let sent = 0

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
    // What no queue is bound for is returned and then confirmed all the same.
    const returned = new Set<string>()
    channel.on('return', ({ properties }) => returned.add(properties.correlationId))
    return { channel, returned }
  })

  async function send(messages: readonly Outgoing[]): Promise<void> {
    await connection.attempted
    const session = connection.session()
    if (!session) throw new Error('no connection')
    if (blocked) throw new Error('the broker is short of disk or memory')
    await Promise.all(messages.map((message) => sendOne(session, message)))
  }

  function sendOne(
    { channel, returned }: NonNullable<ReturnType<typeof connection.session>>,
    { routingKey, messageId, body }: Outgoing,
  ): Promise<void> {
    sent += 1
    const correlationId = String(sent)
    return new Promise((resolve, reject) => {
      channel.publish(
        EXCHANGE,
        routingKey,
        Buffer.from(JSON.stringify(body)),
        { mandatory: true, persistent: true, contentType: 'application/json', messageId, correlationId },
        (error) => {
          if (error) return reject(error)
          if (!returned.delete(correlationId)) return resolve()
          reject(new Error(`no queue is bound for ${routingKey}`))
          connection.drop('a queue or binding has gone') // To declare it again.
        },
      )
    })
  }

  return {
    async publish(messages) {
      let timer: NodeJS.Timeout | undefined
      const deadline = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          reject(new Error(`no confirm within ${TIMEOUT_MS} ms`))
          if (!blocked) connection.drop('a confirm stayed away')
        }, TIMEOUT_MS)
      })
      try {
        await Promise.race([send(messages), deadline])
      } catch (cause) {
        throw new KodusError('QUEUE_UNAVAILABLE', `RabbitMQ did not take the message: ${messageOf(cause)}`, {
          help: 'Check that the broker runs, that RABBITMQ_URL reaches it, and that it has disk and memory left.',
          retryability: 'transient',
          cause,
        })
      } finally {
        clearTimeout(timer)
      }
    },
    isUp: () => connection.session() !== undefined && !blocked,
    close: connection.close,
  }
}
