import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gatherPublished } from '../../src/jobs/note-published.ts'
import { recordDeliveries } from '../../src/store/record-deliveries.ts'
import { claimJob } from '../support/claim-job.ts'
import { createDatabase } from '../support/database.ts'
import { aDelivery } from '../support/deliveries.ts'

test('what still waits a moment after it was published is put off; what runs by then is left alone', async (t) => {
  const { pool: db } = await createDatabase(t)
  const [waiting, claimed] = [aDelivery(), aDelivery()]
  await recordDeliveries(db, [waiting, claimed], 5_000)
  const notes = gatherPublished(db, (error) => assert.fail(String(error)))
  notes.add([waiting, claimed].map(({ jobId }) => ({ jobId, type: 'code-review', version: 1, fence: '0' })))
  await claimJob(db, claimed.jobId, 'worker')
  await notes.close()

  const { rows } = await db.query(
    `select id, due_at > now() + interval '50 minutes' as later from workflow_jobs order by created_at, id`,
  )
  const later = new Map(rows.map((row) => [row.id, row.later]))
  assert.deepEqual([later.get(waiting.jobId), later.get(claimed.jobId)], [true, false])
})
