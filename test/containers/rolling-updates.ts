import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { COMPONENTS } from '../../src/components.ts'
import { missing } from '../support/missing.ts'
import { startEngine } from './engine.ts'
import {
  completedBy,
  countRecorded,
  interruptedSince,
  newestEvent,
  type RunningJob,
  runningJobs,
  takeAccount,
  unfinished,
  windowOf,
} from './rolling/account.ts'
import { findLimit } from './rolling/hold.ts'
import { type Load, type Request, startLoad } from './rolling/load.ts'
import type { Figures, Scene } from './rolling/report.ts'
import { SABOTAGES } from './rolling/sabotage.ts'
import type { Outcome } from './rolling/service.ts'
import { type Stack, startStack } from './rolling/stack.ts'
import { closedWebhook, reviewWebhook, thinkingTitle } from './rolling/webhooks.ts'

// Part of `npm run test:containers`: the three images on a real engine, with their limits, behind HAProxy, with
// PostgreSQL and RabbitMQ, under a load that never stops. One stack for all of it, so that what one test spoils
// shows in the account at the end.

/** A second. */
const RATES = { webhooks: 12, reads: 12 }
/** Every so many webhooks asks for a review; the others close pull requests. */
const REVIEW_EVERY = 10
/** Every so many reviews takes the model a while. */
const LONG_EVERY = 6
const LONG_SECONDS = 12
/** Longer than new workers take to start, shorter than the grace of old ones. */
const LONGER_SECONDS = 20
/** For an update, a rollback, or jobs to end: several times what a busy machine needs. */
const WITHIN_MS = 180_000
const LIMIT_MS = 2 * WITHIN_MS
/** Until a load balancer has noticed that a container is gone. */
const NOTICED_WITHIN_SECONDS = 5
const MEASURED_MS = 10_000
/** What two workers have in hand. */
const FEW_JOBS = 8
/** p99 may grow this much while workers burn; a few milliseconds of it are chance. */
const MARGIN = 10
const LEAST_P99_MS = 20
/** Thirty times the documents' peak of 1,000 webhooks a minute. */
const THIRTY_PEAKS = 500
const RATES_TO_HOLD = [250, THIRTY_PEAKS, 600, 700, 800, 900]

const figures: Figures = { scenes: [], held: [], counts: {} }
const engine = await startEngine()
const options = { skip: 'missing' in engine ? missing(engine.missing) : false, timeout: LIMIT_MS }

let stack: Stack
let load: Load
/** Requests to a container that was killed while it had them, and jobs that such a one left behind. */
const unavoidable = new Set<Request>()
let takenOver = 0

before(async () => {
  if ('missing' in engine) return
  const broken = SABOTAGES.find(({ name }) => name === process.env.CONTAINERS_SABOTAGE)
  stack = await startStack(engine, broken)
  let webhooks = 0
  let reviews = 0
  load = startLoad(stack.addresses, RATES, () => {
    if (++webhooks % REVIEW_EVERY !== 0) return closedWebhook(webhooks)
    return aReview(++reviews % LONG_EVERY === 0 ? LONG_SECONDS : 0)
  })
})

after(async () => {
  if ('missing' in engine) return
  if (process.env.CONTAINERS_FIGURES) writeFileSync(process.env.CONTAINERS_FIGURES, JSON.stringify(figures))
  await load?.stop()
  await stack?.close()
  await engine.close()
})

test('a rolling update of the webhook handler or of the API fails no request', options, async () => {
  for (const type of ['webhook', 'api'] as const) {
    const failed = await scene(`${COMPONENTS[type].name}: rolling update`, async () => {
      assert.deepEqual(await stack.services[type].update(stack.images[type]), { did: 'complete' })
    })
    assert.deepEqual(failed.map(say), [])
  }
})

test('nor where nobody tells their load balancers, who have to see that they stop', options, async () => {
  const { services, images } = stack
  const failed = await scene('both at once, not deregistered first', async () => {
    const untold = (['webhook', 'api'] as const).map((type) =>
      services[type].update(images[type], { deregister: false }),
    )
    assert.deepEqual(await Promise.all(untold), [{ did: 'complete' }, { did: 'complete' }])
  })
  assert.deepEqual(failed.map(say), [])
})

test('a rolling update of the worker interrupts no job, and has none run twice', options, async () => {
  const { services, images, db } = stack
  const event = await newestEvent(db)
  await scene('worker: rolling update', async () => {
    const running = await fillWorkers(LONGER_SECONDS)
    assert.deepEqual(await services.worker.update(images.worker), { did: 'complete' })
    const by = await until('what ran is completed', async () => {
      const completed = await completedBy(db, running)
      return completed.length === running.length && completed
    })
    assert.deepEqual(by, running, 'who began a job completed it')
    return `${running.length} jobs ran when it began, each completed by its own worker`
  })
  assert.deepEqual(await interruptedSince(db, event), [])
})

test('a container that is killed is replaced, and takes no webhook and no job with it', options, async () => {
  const { services, db } = stack
  for (const type of ['webhook', 'api'] as const) {
    const { name } = COMPONENTS[type]
    const failed = await scene(`${name}: docker kill`, async () => {
      await services[type].killOne()
      await services[type].steady()
    })
    for (const request of failed) if (request.to === name) unavoidable.add(request)
    const most = NOTICED_WITHIN_SECONDS * (type === 'webhook' ? RATES.webhooks : RATES.reads)
    assert.ok(failed.length <= most, `${failed.length} requests failed: ${say(failed[0])}`)
  }
  const event = await newestEvent(db)
  await scene('worker: docker kill', async () => {
    await fillWorkers(LONG_SECONDS)
    const victim = await services.worker.killOne()
    const left = (await runningJobs(db)).filter(({ worker }) => victim.startsWith(worker))
    assert.ok(left.length > 0, 'it had jobs')
    await until('they are taken over', async () => (await completedBy(db, left)).length === left.length)
    await services.worker.steady()
    takenOver = (await interruptedSince(db, event)).length
    return `${takenOver} jobs taken over when their leases had lapsed`
  })
})

test(
  'an image that never gets healthy, or ends at once, is rolled back, and nobody notices',
  options,
  async () => {
    const { services, images, db } = stack
    const silent = await stack.derive(images.webhook, `CMD ["node", "--eval", "setInterval(() => {}, 1000)"]`)
    const says = `console.error('a bad release'); process.exit(1)`
    const ending = await stack.derive(images.worker, `CMD ["node", "--eval", "${says}"]`)
    const event = await newestEvent(db)
    const failed = await scene('bad images of handler and worker', async () => {
      const before = [...services.webhook.running(), ...services.worker.running()]
      const outcomes = await Promise.all([services.webhook.update(silent), services.worker.update(ending)])
      const [handlers, workers] = outcomes.map(reasonOf)
      assert.match(handlers ?? '', /^[34] tasks in a row failed; the last: \S+ was not healthy in time/)
      assert.match(workers ?? '', /^[34] tasks in a row failed; the last: \S+ ended with 1 .*a bad release/s)
      assert.deepEqual(
        [...services.webhook.running(), ...services.worker.running()],
        before,
        'those before go on',
      )
      return 'both rolled back'
    })
    assert.deepEqual(failed.map(say), [])
    assert.deepEqual(await interruptedSince(db, event), [])
  },
)

test('workers that burn all their processor time leave the handler and the API theirs', options, async () => {
  const { services, repositories, db } = stack
  await until('few jobs wait', async () => (await unfinished(db)) < FEW_JOBS)
  await scene('nothing else', () => sleep(MEASURED_MS))
  const quiet = figures.scenes.at(-1)
  const large: string[] = []
  for (const _ of services.worker.running()) {
    const { jobId } = await load.send(reviewWebhook(repositories.large, 'A large change'))
    if (jobId) large.push(jobId)
  }
  const burning = async () => (await runningJobs(db)).filter(({ id }) => large.includes(id)).length
  await until('they review', async () => (await burning()) === large.length)
  const failed = await scene('workers burning', async () => {
    await sleep(MEASURED_MS)
    const reviews = await burning()
    assert.ok(reviews > 0, 'a large review went on all along')
    return `${reviews} reviews of 1,000 files each`
  })
  const busy = figures.scenes.at(-1)
  assert.deepEqual(failed.map(say), [])
  for (const p99 of ['webhookP99', 'readP99'] as const) {
    const [before, during] = [quiet?.[p99] ?? 0, busy?.[p99] ?? Number.NaN]
    assert.ok(during < MARGIN * Math.max(before, LEAST_P99_MS), `${p99}: ${before} ms before, ${during} ms`)
  }
})

test(
  'every accepted webhook has exactly one completed job, and no container ended unasked',
  options,
  async () => {
    const { db } = stack
    const services = Object.values(stack.services)
    await load.stop()
    await until('all jobs have ended', async () => (await unfinished(db)) === 0)
    const account = await takeAccount(db, load.ledger)
    const interrupted = await interruptedSince(db, 0)
    await Promise.all(services.map((service) => service.stop()))
    const ends = services.flatMap(({ ended }) => [...ended])
    const good = Object.values(stack.images)
    const unasked = ends.filter(
      ({ how, image }) => how === 'unasked' || (how === 'failed' && good.includes(image)),
    )
    const cut = ends.filter(
      ({ how, exitCode, image }) => how === 'asked' && exitCode !== 0 && good.includes(image),
    )
    const failed = load.ledger.filter((request) => request.failure !== undefined && !unavoidable.has(request))
    Object.assign(figures.counts, {
      failed_requests: failed.length,
      interrupted_jobs: interrupted.length - takenOver,
      lost: account.lost.length,
      duplicated: account.duplicated.length,
      restarts: unasked.length,
      killed_while_stopping: cut.length,
      failed_with_their_container: unavoidable.size,
      taken_over: takenOver,
      webhooks: load.ledger.filter(({ webhook }) => webhook).length,
      jobs: account.jobs,
    })
    assert.deepEqual(account.lost, [])
    assert.deepEqual(account.duplicated, [])
    assert.deepEqual(failed.map(say), [])
    assert.equal(interrupted.length, takenOver, interrupted.join('\n'))
    assert.deepEqual(unasked, [])
    assert.deepEqual(cut, [])
  },
)

test('a quarter of a processor takes thirty times the documented peak of webhooks', options, async () => {
  assert.ok(!('missing' in engine))
  const { url, pool } = await stack.createDatabase('peak')
  const definition = stack.definition('webhook', { DATABASE_URL: url })
  const held = await findLimit(
    { engine, prefix: stack.prefix, image: stack.images.webhook, definition },
    RATES_TO_HOLD,
  )
  figures.held.push(...held.steps)
  const most = Math.max(0, ...held.steps.filter(({ holds }) => holds).map(({ perSecond }) => perSecond))
  const accepted = held.steps.flatMap((step) => step.accepted)
  const lost = accepted.length - (await countRecorded(pool, accepted))
  const memoryMb = Math.max(...held.steps.map((step) => step.memoryMb))
  Object.assign(figures.counts, { held_per_second: most, held_lost: lost, handler_memory_mb: memoryMb })
  assert.equal(lost, 0)
  assert.equal(held.outOfMemory, false)
  assert.ok(memoryMb < COMPONENTS.webhook.task.memoryMb, `${memoryMb} MB`)
  assert.ok(most >= THIRTY_PEAKS, `it held ${most} a second: ${JSON.stringify(held.steps.at(-1))}`)
})

/** Does something under the load, and notes what happened at the load meanwhile. @returns the requests that failed */
async function scene(what: string, act: () => Promise<unknown>): Promise<Request[]> {
  const from = performance.now()
  const says = await act()
  const until = performance.now()
  await load.answered()
  const [webhooks, reads] = (['webhook-handler', 'api-rest'] as const).map((to) =>
    windowOf(load.ledger, to, { from, until }),
  )
  assert.ok(webhooks && reads)
  const failed = [...webhooks.failed, ...reads.failed]
  const one: Scene = {
    what,
    seconds: (until - from) / 1000,
    requests: webhooks.requests + reads.requests,
    failed: failed.length,
    webhookP99: webhooks.p99,
    readP99: reads.p99,
    says: typeof says === 'string' ? says : '',
  }
  figures.scenes.push(one)
  const { seconds, requests, webhookP99, readP99 } = one
  console.log(
    `${what}: ${Math.round(seconds)} s, ${requests} requests, ${failed.length} failed, p99 ${Math.round(webhookP99)} and ${Math.round(readP99)} ms. ${one.says}`,
  )
  for (const request of failed) {
    const after = Math.round(request.due - from)
    console.log(`  after ${after} ms: ${say(request)} (${Math.round(request.ms)} ms)`)
  }
  return failed
}

function aReview(seconds: number) {
  const { small } = stack.repositories
  const change = small[Math.floor(Math.random() * small.length)]
  assert.ok(change)
  return reviewWebhook(change, seconds === 0 ? 'A small change' : thinkingTitle(seconds))
}

/** Has each worker run a job that takes a while, and says what runs. */
async function fillWorkers(seconds: number): Promise<RunningJob[]> {
  const workers = stack.services.worker.running().map((id) => id.slice(0, 12))
  for (let n = 0; n < 2 * workers.length; n++) await load.send(aReview(seconds))
  return await until('each worker runs a job', async () => {
    const jobs = await runningJobs(stack.db)
    return workers.every((id) => jobs.some(({ worker }) => worker === id)) && jobs
  })
}

function reasonOf(outcome: Outcome): string {
  return outcome.did === 'roll back' ? outcome.reason : outcome.did
}

function say(request: Request | undefined): string {
  return `${request?.to}: ${request?.failure}`
}

async function until<T>(what: string, look: () => Promise<T | false>): Promise<T> {
  const deadline = Date.now() + WITHIN_MS
  for (;;) {
    const seen = await look()
    if (seen !== false) return seen
    if (Date.now() > deadline) throw new Error(`Not within ${WITHIN_MS / 1000} s: ${what}`)
    await sleep(200)
  }
}
