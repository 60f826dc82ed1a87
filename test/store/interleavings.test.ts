import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isFinal, type JobStatus, TRANSITIONS } from '../../src/jobs/job.ts'
import { claimJobs } from '../../src/store/claim-jobs.ts'
import type { DatabasePool } from '../../src/store/database.ts'
import { lapseLeases } from '../../src/store/lapse-leases.ts'
import { recordDeliveries } from '../../src/store/record-deliveries.ts'
import { recordIntent } from '../../src/store/record-intent.ts'
import { renewLease } from '../../src/store/renew-lease.ts'
import { type MovedJob, transitionJob } from '../../src/store/transition-job.ts'
import { NO_LIMITS } from '../support/claim-job.ts'
import { createDatabase } from '../support/database.ts'
import { aDelivery } from '../support/deliveries.ts'

/**
 * Two workers, a dispatcher and an API client do what they may do, several at the same moment, on a real
 * database. Whatever the order, the history of each job is a walk through the table of transitions.
 */
const WORKERS = ['worker-a', 'worker-b'] as const
type Worker = (typeof WORKERS)[number]

/** What one of them does next. A worker acts with the job it claimed last, and may have lost it long ago. */
type Action =
  | { who: Worker; does: 'claim' | 'complete' | 'retry' | 'fail' | 'handBack' | 'renew' | 'intend' }
  | { who: 'dispatcher'; does: 'lapse' }
  | { who: 'api'; does: 'cancel' | 'replay' | 'supersede'; job: number }
  | { who: 'time'; does: 'expire' }

const JOBS = 3

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      who: fc.constantFrom(...WORKERS),
      does: fc.constantFrom(
        ...(['claim', 'claim', 'complete', 'retry', 'fail', 'handBack', 'renew', 'intend'] as const),
      ),
    }),
  },
  { weight: 2, arbitrary: fc.constant<Action>({ who: 'dispatcher', does: 'lapse' }) },
  { weight: 1, arbitrary: fc.constant<Action>({ who: 'time', does: 'expire' }) },
  {
    weight: 3,
    arbitrary: fc.record({
      who: fc.constant('api' as const),
      does: fc.constantFrom(...(['cancel', 'replay', 'supersede'] as const)),
      job: fc.nat(JOBS - 1),
    }),
  },
)

/** Actions of one list begin at the same moment. */
const rounds = fc.array(fc.array(action, { minLength: 1, maxLength: 4 }), { minLength: 4, maxLength: 14 })

test('however workers, dispatcher and API interleave, every job walks the table of transitions', async (t) => {
  const { pool: db } = await createDatabase(t)
  await fc.assert(
    fc.asyncProperty(rounds, async (rounds) => {
      await db.query('truncate workflow_jobs, deliveries, pull_requests, reviews cascade')
      const system = await aSystem(db)
      for (const round of rounds) {
        await Promise.all(round.map((each) => system.act(each)))
        await checkHistories(db, system.granted)
      }
    }),
    { numRuns: 60, endOnFailure: false },
  )
})

async function aSystem(db: DatabasePool) {
  // Two of one pull request, of which one may run at a time, and one of another.
  const deliveries = ['1', '1', '2'].map((pullRequest) => aDelivery({ request: { pullRequest } }))
  await recordDeliveries(db, deliveries, 0)
  const held: Record<Worker, MovedJob | undefined> = { 'worker-a': undefined, 'worker-b': undefined }
  /** What each fencing token was used for: the end of an attempt, once. */
  const granted: { jobId: string; fence: string; did: string }[] = []

  async function act(action: Action): Promise<void> {
    switch (action.does) {
      case 'claim':
        held[action.who] =
          (
            await claimJobs(db, action.who, {
              types: ['code-review'],
              limits: NO_LIMITS,
              count: 1,
              withSuspect: true,
            })
          )[0] ?? held[action.who]
        return
      case 'lapse':
        return void (await lapseLeases(db, action.who))
      case 'expire':
        return void (await db.query(`update workflow_jobs set lease_until = now() - interval '1 second'
          where status = 'PROCESSING'`))
      case 'cancel':
      case 'replay':
      case 'supersede': {
        const jobId = deliveries[action.job]?.jobId ?? ''
        return void (await transitionJob(db, action.does, { jobId, reason: 'asked for', actor: 'api' }))
      }
    }
    const job = held[action.who]
    if (!job) return
    if (action.does === 'renew') return void (await renewLease(db, job.id, job.fence))
    if (action.does === 'intend') {
      return void (await recordIntent(db, job, { base: 'a', head: 'b' }, {}))
    }
    const move = { jobId: job.id, fence: job.fence, reason: 'an attempt', actor: action.who }
    const moved = await transitionJob(db, action.does, move)
    if (moved) granted.push({ jobId: job.id, fence: job.fence, did: action.does })
  }
  return { act, granted }
}

interface History {
  status: JobStatus
  fence: string
  run: number
  intended: number | null
  attempts: number
  due: boolean
  leased: boolean
  pullRequest: string
  moves: { from: JobStatus | null; to: JobStatus; run: number }[]
}

async function checkHistories(
  db: DatabasePool,
  granted: readonly { jobId: string; fence: string }[],
): Promise<void> {
  const { rows } = await db.query<History>(
    `select j.status, j.fence, j.run, j.intended_run as intended, j.attempts, j.due_at is not null as due,
       j.lease_until is not null as leased, j.pull_request as "pullRequest",
       (select json_agg(json_build_object('from', e.from_status, 'to', e.to_status, 'run', e.run) order by e.id)
        from workflow_job_events e where e.job_id = j.id and e.stage is null) as moves
     from workflow_jobs j`,
  )
  for (const { status, fence, run, intended, attempts, due, leased, moves } of rows) {
    const last = moves.at(-1)
    assert.deepEqual([last?.to, last?.run], [status, run], 'the history ends where the row is')
    assert.equal(Number(fence), moves.length - 1, 'each move took a new fencing token')
    for (const [n, { from, to }] of moves.entries()) {
      assert.equal(from, moves[n - 1]?.to ?? null, 'each move begins where the one before ended')
      if (from) assert.ok(isAllowed(from, to), `${from} → ${to}`)
    }
    assert.equal(due, !isFinal(status), 'what waits has a moment, what has ended has none')
    assert.equal(leased, status === 'PROCESSING', 'what runs has a lease, and nothing else')
    assert.ok(attempts >= 0 && (status !== 'PROCESSING' || attempts > 0))
    if (intended === run) assert.ok(status !== 'CANCELLED' && status !== 'SUPERSEDED', 'an intent is kept')
  }
  const running = rows.filter(({ status }) => status === 'PROCESSING').map(({ pullRequest }) => pullRequest)
  assert.equal(new Set(running).size, running.length, 'of one pull request one review runs')
  const tokens = granted.map(({ jobId, fence }) => `${jobId} ${fence}`)
  assert.equal(new Set(tokens).size, tokens.length, 'a fencing token ends one attempt, once')
}

function isAllowed(from: JobStatus, to: JobStatus): boolean {
  const rules: { from: readonly JobStatus[]; to: JobStatus }[] = Object.values(TRANSITIONS)
  return rules.some((rule) => rule.from.includes(from) && rule.to === to)
}
