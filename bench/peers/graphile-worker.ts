// graphile-worker with the settings of its documentation's page on performance: jobs are taken in batches,
// and so are completions.
import { makeWorkerUtils, run } from 'graphile-worker'
import pg from 'pg'
import { CONCURRENCY, type JobSystem } from '../jobs/system.ts'

export const system: JobSystem = {
  async prepare({ database }) {
    const utils = await makeWorkerUtils({ connectionString: database })
    await utils.migrate()
    await utils.release()
  },

  async openProducer({ database }) {
    const utils = await makeWorkerUtils({ connectionString: database, maxPoolSize: CONCURRENCY })
    return {
      enqueue: async (payload) => void (await utils.addJob('noop', payload)),
      close: async () => void (await utils.release()),
    }
  },

  async startWorker({ database }, onJob) {
    const pool = new pg.Pool({ connectionString: database, max: CONCURRENCY + 4 })
    const runner = await run({
      noHandleSignals: true,
      pgPool: pool,
      taskList: { noop: async () => onJob() },
      preset: {
        worker: {
          concurrentJobs: CONCURRENCY,
          localQueue: { size: CONCURRENCY + 1 },
          completeJobBatchDelay: 0,
        },
      },
    })
    return {
      async unfinished() {
        const { rows } = await pool.query('select count(*)::int as left from graphile_worker._private_jobs')
        return rows[0].left
      },
      async stop() {
        await runner.stop()
        await pool.end()
      },
    }
  },
}
