import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Delivery } from '../../src/jobs/review-request.ts'
import { countJobsForWorkers } from '../../src/store/count-jobs-for-workers.ts'
import { recordDeliveries } from '../../src/store/record-deliveries.ts'
import { claimJob } from '../support/claim-job.ts'
import { createDatabase } from '../support/database.ts'
import { aDelivery } from '../support/deliveries.ts'

const WIDE = { perRepository: 100, perOrganisation: 100 }

const ofRepository = (repository: string, organisation: string, count: number, pullRequest?: string) =>
  Array.from({ length: count }, (_, nth) =>
    aDelivery({
      forge: 'github',
      request: { repository, organisation, pullRequest: pullRequest ?? String(nth + 1) },
    }),
  )

test('what a limit, or another job of its pull request, keeps waiting asks for no workers', async (t) => {
  const { pool: db } = await createDatabase(t)
  const record = (deliveries: Delivery[]) => recordDeliveries(db, deliveries, 0)
  const one = ofRepository('acme/one', 'acme', 25)
  await record(one)
  await record(ofRepository('acme/two', 'acme', 25))
  await record(ofRepository('globex/shop', 'globex', 4, '7'))
  await record(ofRepository('globex/hall', 'globex', 1))
  await db.query(`update workflow_jobs set run_at = now() + interval '1 h' where repository = 'globex/hall'`)
  const count = (limits: Partial<typeof WIDE>) => countJobsForWorkers(db, { ...WIDE, ...limits })

  assert.equal(await count({}), 51, 'one of a pull request, none that is not due')
  assert.equal(await count({ perRepository: 2 }), 20 + 20 + 1, 'ten for each that could start')
  assert.equal(await count({ perOrganisation: 3 }), 30 + 1)

  await claimJob(db, one[0]?.jobId ?? '', 'worker')
  assert.equal(await count({}), 50)
  assert.equal(await count({ perRepository: 1 }), 0 + 10 + 1, 'the limit of one is reached')
  assert.equal(await count({ perOrganisation: 1 }), 0 + 1)

  await record(ofRepository('acme/one', 'acme', 1, '1'))
  assert.equal(await count({}), 50, 'one of this pull request runs')
})

test('while claiming is stopped, no worker is missing', async (t) => {
  const { pool: db } = await createDatabase(t)
  await recordDeliveries(db, ofRepository('acme/one', 'acme', 2), 0)
  assert.equal(await countJobsForWorkers(db, WIDE), 2)
  await db.query(`insert into stops (name, reason, actor) values ('claiming', 'test', 'test')`)
  assert.equal(await countJobsForWorkers(db, WIDE), 0)
})
