// One side of a job queue, as a process of its own: SIDE is `producer` or `worker`, SYSTEM names the queue. It does
// as it is told by messages: `{ count }` enqueues so many jobs, or expects them; the answer comes when they are
// enqueued, or recorded as completed.
import { setTimeout as sleep } from 'node:timers/promises'
import type { ReviewRequest } from '../../src/jobs/review-request.ts'
import { CONCURRENCY, type Stores } from './system.ts'
import { SYSTEMS, type SystemName } from './systems.ts'

const REPOSITORIES = 50
const ORGANISATIONS = 10

const { SIDE, SYSTEM, STORES = '' } = process.env
const system = await SYSTEMS[SYSTEM as SystemName]()
const stores: Stores = JSON.parse(STORES)

if (SIDE === 'producer') {
  const producer = await system.openProducer(stores)
  let made = 0
  onCount(async (count) => {
    let left = count
    const enqueueOneByOne = async () => {
      while (left > 0) {
        left -= 1
        made += 1
        await producer.enqueue(requestOf(made))
      }
    }
    await Promise.all(Array.from({ length: CONCURRENCY }, enqueueOneByOne))
  })
} else {
  let ran = 0
  const worker = await system.startWorker(stores, () => {
    ran += 1
  })
  onCount(async (count) => {
    while (ran < count) await sleep(2)
    while ((await worker.unfinished()) > 0) await sleep(2)
    if (ran !== count) throw new Error(`${ran} jobs ran instead of ${count}`)
    ran = 0
  })
}
process.send?.('ready')
process.on('disconnect', () => process.exit())

function onCount(handle: (count: number) => Promise<void>): void {
  process.on('message', async ({ count }: { count: number }) => {
    await handle(count)
    process.send?.('done')
  })
}

/** A request as a webhook of GitHub's is narrowed to, each for a pull request of its own. */
function requestOf(number: number): ReviewRequest {
  const organisation = `organisation-${number % ORGANISATIONS}`
  return {
    repository: `${organisation}/repository-${number % REPOSITORIES}`,
    organisation,
    pullRequest: String(number),
    base: 'a'.repeat(40),
    head: number.toString(16).padStart(40, '0'),
    title: 'Update the README with new information.',
    description: 'This is a pretty simple change that we need to pull into master.',
    branch: 'changes',
    sender: 'somebody',
    action: 'synchronize',
    baseBranch: 'master',
    draft: false,
  }
}
