// pg-boss as it is fastest with sixteen jobs in hand: one fetch takes sixteen, the next follows at once while
// there are more, and a notification ends the wait when there are none.

import pg from 'pg'
import { PgBoss } from 'pg-boss'
import { CONCURRENCY, type JobSystem } from '../jobs/system.ts'

const QUEUE = 'noop'

async function open(address: string) {
  const boss = new PgBoss({ connectionString: address, max: CONCURRENCY + 4, useListenNotify: true })
  boss.on('error', (error) => console.error(error))
  await boss.start()
  return boss
}

export const system: JobSystem = {
  async prepare({ database }) {
    const boss = await open(database)
    await boss.createQueue(QUEUE, { notify: true })
    await boss.stop()
  },

  async openProducer({ database }) {
    const boss = await open(database)
    return {
      enqueue: async (payload) => void (await boss.send(QUEUE, payload)),
      close: () => boss.stop(),
    }
  },

  async startWorker({ database }, onJob) {
    const boss = await open(database)
    const options = { batchSize: CONCURRENCY, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 }
    await boss.work(QUEUE, options, async (jobs) => {
      for (const _ of jobs) onJob()
    })
    const pool = new pg.Pool({ connectionString: database, max: 1 })
    return {
      async unfinished() {
        const { rows } = await pool.query(
          `select count(*)::int as left from pgboss.job where name = $1 and state <> 'completed'`,
          [QUEUE],
        )
        return rows[0].left
      },
      async stop() {
        await boss.stop()
        await pool.end()
      },
    }
  },
}
