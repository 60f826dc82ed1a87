// Sends webhooks as `npm run bench:ingest` does, in a process of its own. LOAD is its `Load`.
import { generateLoad } from '../ingest/load.ts'
import { createPayloads } from '../ingest/payload.ts'
import { percentile } from '../support/statistics.ts'

const { PORT, LOAD = '' } = process.env

process.on('disconnect', () => process.exit())
process.once('message', async () => {
  const target = { port: Number(PORT), path: '/webhooks/github' }
  const { accepted, refused, seconds, latencies } = await generateLoad(
    target,
    createPayloads(),
    JSON.parse(LOAD),
  )
  process.send?.({
    perSecond: accepted.length / seconds,
    refused: [...refused.values()].reduce((sum, count) => sum + count, 0),
    p99: percentile(latencies, 99),
  })
})
process.send?.('ready')
