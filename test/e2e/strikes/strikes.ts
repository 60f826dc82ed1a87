import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { LEASE_SECONDS } from '../../../src/jobs/job.ts'
import type { Moments } from '../../../src/lib/moments.ts'
import type { PullRequest } from '../../github/server.ts'
import { prepareStrikes, type Strikes } from '../../support/strike.ts'
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts'
import { assertWhole, open } from '../github/setbacks.ts'
import { type Stack, startStack, until } from '../github/stack.ts'

const LAPSED = 'its worker stopped renewing the lease'

/** A dead worker is noticed within its lease and 5 s; here with a margin of ten times that. */
const TAKEN_OVER_WITHIN_MS = (LEASE_SECONDS + 50) * 1000

/** What GitHub notes of a delivery that nobody answered. */
const UNREACHED = 502

/** Where a worker is killed, and what is recorded of that. */
const KILLED_WORKERS: [at: keyof Moments, when: string, failures: string[]][] = [
  ['job-claimed', 'when it has claimed a job', [LAPSED]],
  ['model-asked', 'when it asks the model', [LAPSED]],
  ['model-answered', 'when the model has answered', [LAPSED]],
  ['intent-committed', 'when it has committed to posting', [LAPSED]],
  ['review-pending', 'when it has made a pending review', [LAPSED]],
  ['review-submitting', 'before it submits the review', [LAPSED]],
  ['review-submitted', 'when it has submitted the review', [LAPSED]],
  ['job-ended', 'before it acknowledges', []],
]

/**
 * Every moment at which a process may die or freeze, over the queue that `queueEnv` names: nothing is lost, and
 * each pull request has its one review. The workers have one slot, so that who is killed takes nobody along.
 */
export function strikes(
  queueEnv: () => Promise<Record<string, string>>,
  { skip }: { skip: string | false },
): void {
  const timeout = 400_000
  test('processes that end or freeze at the worst moments', { skip, timeout }, async (t: TestContext) => {
    const armory = prepareStrikes(t)
    const stack = await startStack(t, { ...(await queueEnv()), ...armory.env, WORKER_SLOTS: '1' })
    await killHandlers(t, stack, armory)
    await stack.worker.kill()
    const cutOff = await cutOffWorker(t, stack, armory)
    const workers = await Promise.all(Array.from({ length: 2 }, () => stack.startWorker()))

    // Most of their time, they wait for a lease to end.
    await t.test('while other workers are there', { concurrency: true, timeout }, async (t: TestContext) => {
      await Promise.all([
        ...KILLED_WORKERS.map(([at, when, failures]) =>
          t.test(
            `a worker is killed ${when}: another goes on, and there is one review`,
            { timeout },
            async () => {
              const repository = `octo/killed-${at}`
              const strike = armory.arm({ at, signal: 'SIGKILL', repository })
              const pull = open(stack, repository)
              await strike.struck()
              const struckAt = Date.now()
              workers.push(await stack.startWorker())
              await completed(stack, repository)
              await assertWhole(pull)
              const { takeovers, ...record } = await recordOf(stack, repository)
              assert.deepEqual(record, { attempts: 1, failures })
              assert.equal(takeovers.length, failures.length)
              for (const at of takeovers) assert.ok(at.getTime() - struckAt < TAKEN_OVER_WITHIN_MS)
            },
          ),
        ),
        t.test(
          'a worker freezes between its last check and its post: woken, it posts nothing',
          { timeout },
          async () => {
            const repository = 'octo/frozen'
            const strike = armory.arm({ at: 'review-submitting', signal: 'SIGSTOP', repository })
            const pull = open(stack, repository)
            const pid = await strike.struck()
            const [pending] = pull.reviews()
            assert.equal(pending.state, 'PENDING')
            const frozen = workers.find((worker) => worker.pid === pid)
            assert.ok(frozen)
            workers.push(await stack.startWorker())
            await completed(stack, repository)
            await assertWhole(pull)
            const before = await recordOf(stack, repository)

            frozen.signal('SIGCONT')
            // Its renewal tells it, or the forge, whose pending review is gone: whichever answers first.
            await frozen.line(({ code, msg }) => code === 'LEASE_LOST' || /no longer ours/.test(String(msg)))
            await assertWhole(pull)
            assert.deepEqual(await recordOf(stack, repository), before)
            assert.ok(!pull.reviews().some(({ id }) => id === pending.id))
          },
        ),
        t.test(
          'a worker that is cut off from the database submits nothing, and another does',
          { timeout },
          async () => {
            await completed(stack, cutOff.repository)
            await assertWhole(cutOff.pull)
            const { failures } = await recordOf(stack, cutOff.repository)
            assert.deepEqual(failures, [LAPSED])
            assert.ok(!cutOff.pull.reviews().some(({ id }) => id === cutOff.pendingId))
          },
        ),
      ])
    })

    await t.test(
      'the network heals: who was cut off works on, and posts nothing of what it lost',
      async () => {
        const before = await recordOf(stack, cutOff.repository)
        await Promise.all(workers.map((worker) => worker.kill()))
        cutOff.proxy.restore()
        const pull = open(stack, 'octo/healed')
        await completed(stack, 'octo/healed')
        await assertWhole(pull)
        await assertWhole(cutOff.pull)
        assert.deepEqual(await recordOf(stack, cutOff.repository), before)
      },
    )
  })
}

/** One after the other: the handler that is struck is the only one. */
async function killHandlers(t: TestContext, stack: Stack, armory: Strikes): Promise<void> {
  const { github } = stack
  const killed = async (at: keyof Moments): Promise<{ pull: PullRequest; guid: string; told: number }> => {
    const strike = armory.arm({ at, signal: 'SIGKILL', component: 'webhook' })
    const pull = open(stack, `octo/killed-${at}`)
    await strike.struck()
    await github.webhooks.settled()
    const { guid, statusCode } = github.webhooks.deliveries.at(-1) ?? {}
    assert.ok(guid !== undefined && statusCode !== undefined)
    await stack.start('webhook')
    return { pull, guid, told: statusCode }
  }
  const jobs = async (pull: PullRequest) => (await stack.api.jobs(pull.repository.fullName)).length

  await t.test(
    'a handler is killed before a webhook is stored: it was not accepted, and is sent again',
    async () => {
      const { pull, guid, told } = await killed('webhook-verified')
      assert.deepEqual([told, await jobs(pull)], [UNREACHED, 0])
      await github.webhooks.redeliver(guid)
      await stack.idle()
      await assertWhole(pull)
    },
  )

  for (const [at, when] of [
    ['deliveries-committed', 'committed'],
    ['jobs-published', 'published'],
  ] as const) {
    await t.test(
      `a handler is killed when a job is ${when}: it runs once, however often it is sent`,
      async () => {
        const { pull, guid, told } = await killed(at)
        if (at === 'deliveries-committed') assert.equal(told, UNREACHED)
        await stack.idle()
        await assertWhole(pull)
        await github.webhooks.redeliver(guid)
        await stack.idle()
        await assertWhole(pull)
        assert.equal(await jobs(pull), 1)
      },
    )
  }
}

/** A worker that has made a pending review, and from then on does not reach the database. */
async function cutOffWorker(
  t: TestContext,
  stack: Stack,
  armory: Strikes,
): Promise<{ repository: string; pull: PullRequest; pendingId: number; proxy: TcpProxy }> {
  const repository = 'octo/cut-off'
  const proxy = await startTcpProxy(t, addressOf(stack))
  const worker = await stack.start('worker', (env) => ({
    ...env,
    DATABASE_URL: proxy.through(env.DATABASE_URL ?? ''),
  }))
  const strike = armory.arm({ at: 'review-pending', signal: 'SIGSTOP', repository })
  const pull = open(stack, repository)
  await strike.struck()
  proxy.cut()
  worker.signal('SIGCONT')
  return { repository, pull, pendingId: pull.reviews()[0].id, proxy }
}

function addressOf({ db }: Stack): { host: string; port: number } {
  const { hostname, port } = new URL(db.options.connectionString ?? '')
  return { host: hostname, port: Number(port) }
}

async function completed({ db }: Stack, repository: string): Promise<void> {
  await until(async () => {
    const { rows } = await db.query<{ status: string; error: unknown }>(
      'select status, error from workflow_jobs where repository = $1',
      [repository],
    )
    assert.ok(rows.length <= 1, 'one job')
    const { status = 'none yet', error } = rows[0] ?? {}
    assert.ok(
      ['none yet', 'PENDING', 'PROCESSING', 'RETRYING', 'COMPLETED'].includes(status),
      `${status} ${error}`,
    )
    return status === 'COMPLETED'
  })
}

/** What is recorded of a repository's one job. */
async function recordOf({ db }: Stack, repository: string) {
  const { rows } = await db.query<{ attempts: number; to: string; reason: string; at: Date }>(
    `select j.attempts, e.to_status as "to", e.reason, e.at from workflow_jobs j
     join workflow_job_events e on e.job_id = j.id and e.stage is null
     where j.repository = $1 order by e.id`,
    [repository],
  )
  const claims = rows.filter(({ to }) => to === 'PROCESSING')
  return {
    attempts: rows[0]?.attempts,
    failures: rows.filter(({ to }) => to === 'RETRYING' || to === 'FAILED').map(({ reason }) => reason),
    takeovers: claims.slice(1).map(({ at }) => at),
  }
}
