import amqp from 'amqplib'
import { declareTopology } from '../../src/jobs/topology.ts'

/**
 * Declares all queues and goes. Stop the broker in order after that, before you kill it: it writes the name of a new
 * quorum queue to the disk only then, or after minutes, and killed before, it does not know the queue again
 * (docs/operations.md).
 */
export async function declareQueues(url: string): Promise<void> {
  const connection = await amqp.connect(url)
  await declareTopology(connection)
  await connection.close()
}
