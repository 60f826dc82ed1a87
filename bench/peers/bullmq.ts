import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { CONCURRENCY, type JobSystem } from '../jobs/system.ts'

const QUEUE = 'noop'

/** BullMQ wants no limit of retries on a worker's connection. */
const connect = (address: string) => new Redis(address, { maxRetriesPerRequest: null })

export const system: JobSystem = {
  prepare: async () => {},

  async openProducer({ redis }) {
    const connection = connect(redis)
    const queue = new Queue(QUEUE, { connection })
    await queue.waitUntilReady()
    return {
      enqueue: async (payload) => void (await queue.add('noop', payload)),
      async close() {
        await queue.close()
        connection.disconnect()
      },
    }
  },

  async startWorker({ redis }, onJob) {
    const connection = connect(redis)
    const queue = new Queue(QUEUE, { connection })
    const worker = new Worker(QUEUE, async () => onJob(), { connection, concurrency: CONCURRENCY })
    await worker.waitUntilReady()
    return {
      unfinished: async () => {
        const { completed, ...others } = await queue.getJobCounts()
        return Object.values(others).reduce((sum, count) => sum + count, 0)
      },
      async stop() {
        await worker.close()
        await queue.close()
        connection.disconnect()
      },
    }
  },
}
