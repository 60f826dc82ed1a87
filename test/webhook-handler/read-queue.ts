import amqp from 'amqplib'
import { INTAKE_QUEUE } from '../../src/jobs/topology.ts'

/** Takes what a queue holds now; waits for at least `atLeast` messages. */
// biome-ignore lint/suspicious/noExplicitAny: whatever JSON travels; tests say what they expect.
export async function readQueue(url: string, queue = INTAKE_QUEUE, atLeast = 0): Promise<any[]> {
  const connection = await amqp.connect(url)
  try {
    const channel = await connection.createChannel()
    const messages = []
    for (;;) {
      const message = await channel.get(queue, { noAck: true })
      if (message) messages.push(JSON.parse(message.content.toString()))
      else if (messages.length >= atLeast) return messages
    }
  } finally {
    await connection.close()
  }
}
