import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type pg from 'pg'
import { findStops } from '../../src/store/find-stops.ts'
import { getJob } from '../../src/store/get-job.ts'
import { keepDeadLetter } from '../../src/store/keep-dead-letter.ts'
import { listEvents } from '../../src/store/list-events.ts'
import { recordDeliveries } from '../../src/store/record-deliveries.ts'
import { transitionJob } from '../../src/store/transition-job.ts'
import { claimJob } from '../support/claim-job.ts'
import { createDatabase } from '../support/database.ts'
import { aDelivery } from '../support/deliveries.ts'
import { kodus } from '../support/kodus.ts'

async function anInstallation(t: TestContext) {
  const { pool: db, url } = await createDatabase(t)
  return { db, run: (...args: string[]) => kodus(args, { DATABASE_URL: url }) }
}

async function aFailedJob(
  db: pg.Pool,
  code = 'MODEL_UNAVAILABLE',
  repository = 'octo/shop',
): Promise<string> {
  const delivery = aDelivery({ request: { repository, pullRequest: '7' } })
  await recordDeliveries(db, [delivery], 0)
  const { jobId } = delivery
  const job = await claimJob(db, jobId, 'worker')
  const error = { code, message: `no answer \u001b[31mof it`, help: 'Check the server.' }
  await transitionJob(db, 'fail', {
    jobId,
    fence: job?.fence ?? '',
    actor: 'worker',
    reason: 'gave up',
    error,
  })
  return jobId
}

function aLetter(db: pg.Pool, body: string): Promise<string> {
  const from = { queue: 'workflow.intake.queue', routingKey: 'workflow.intake', messageId: null }
  return keepDeadLetter(db, { ...from, reason: 'rejected', body: Buffer.from(body) })
}

test('the dead are listed with their reasons and what to do, newest first, and what cannot be printed is left out', async (t) => {
  const { db, run } = await anInstallation(t)
  assert.match((await run('jobs', 'dead')).stdout, /^Nothing has failed/)
  const older = await aFailedJob(db)
  const newer = await aFailedJob(db, 'GIT_UNREACHABLE')
  const letter = await aLetter(db, `\u001b]0;owned\u0007{"forge":${'9'.repeat(500)}`)
  const { code, stdout } = await run('jobs', 'dead')
  assert.equal(code, 0)
  const lines = stdout.split('\n')
  assert.match(
    lines[0] ?? '',
    new RegExp(`^${newer}  .*  code-review  octo/shop#7  GIT_UNREACHABLE: no answer of it$`),
  )
  assert.equal(lines[1], '    Check the server.')
  assert.match(lines[2] ?? '', new RegExp(`^${older}  .*MODEL_UNAVAILABLE`))
  assert.match(lines[4] ?? '', new RegExp(`^${letter}  .*  message of workflow.intake.queue  rejected  `))
  assert.ok((lines[5] ?? '').length < 210, 'only the beginning of a body is shown')
  assert.match(
    lines[6] ?? '',
    /^ {4}No build that runs here can read it: .*; replay after an upgrade, or discard\.$/,
  )
  assert.ok(!stdout.includes('\u001b') && !stdout.includes('\u0007'))

  const limited = await run('jobs', 'dead', '--limit', '1')
  assert.ok(limited.stdout.includes(newer) && !limited.stdout.includes(older))
  assert.match(limited.stdout, /There are more/)
  const json = JSON.parse((await run('jobs', 'dead', '--json')).stdout)
  assert.deepEqual(
    [json.jobs.map(({ id }: { id: string }) => id), json.deadLetters.map(({ id }: { id: string }) => id)],
    [[newer, older], [letter]],
  )
})

test('a job and a dead letter are replayed by their ids; what cannot be is said, and the rest is done', async (t) => {
  const { db, run } = await anInstallation(t)
  const jobId = await aFailedJob(db)
  const delivery = aDelivery()
  const letter = await aLetter(db, JSON.stringify(delivery))
  const broken = await aLetter(db, '{"forge":')
  const { code, stdout, stderr } = await run('jobs', 'replay', broken, 'x', jobId, letter, '4711')
  assert.equal(code, 2)
  assert.match(
    stderr,
    new RegExp(`${broken}  DEAD_LETTER_UNREADABLE: .*\nx  ID_INVALID: .*\n4711  DEAD_LETTER_UNKNOWN`),
  )
  assert.match(
    stdout,
    new RegExp(`${jobId}  replayed, as run 2\n${letter}  recorded as a new job \\(${delivery.jobId}\\)`),
  )
  assert.equal((await getJob(db, jobId))?.status, 'PENDING')
  assert.equal((await getJob(db, delivery.jobId))?.status, 'PENDING')
  assert.match((await listEvents(db, [{ jobId, after: '0' }])).at(-1)?.actor ?? '', /cli/)

  const again = await run('jobs', 'replay', jobId)
  assert.equal(again.code, 2)
  assert.match(again.stderr, /JOB_NOT_REPLAYABLE: The job is PENDING/)
})

test('all of one code are replayed, and nothing else', async (t) => {
  const { db, run } = await anInstallation(t)
  const model = [await aFailedJob(db), await aFailedJob(db), await aFailedJob(db)]
  const git = await aFailedJob(db, 'GIT_UNREACHABLE')
  await aLetter(db, JSON.stringify(aDelivery()))
  const { code, stdout } = await run('jobs', 'replay', '--all', '--code', 'MODEL_UNAVAILABLE')
  assert.equal(code, 0)
  assert.deepEqual(stdout.match(/^\S+/gm)?.sort(), model.toSorted())
  const again = await run('jobs', 'replay', '--all', '--code', 'MODEL_UNAVAILABLE')
  assert.deepEqual([again.code, again.stdout], [0, 'Nothing matches.\n'])
  assert.equal((await getJob(db, git))?.status, 'FAILED')
  assert.equal((await db.query('select from dead_letters where settled_at is null')).rowCount, 1)
})

test('more than a page of them are put aside at once, dead letters too', async (t) => {
  const { db, run } = await anInstallation(t)
  const jobId = await aFailedJob(db)
  await db.query(
    `insert into workflow_jobs (id, type, version, forge, delivery_id, organisation, repository, payload, status, finished_at)
     select gen_random_uuid(), type, version, forge, n::text, organisation, repository, payload, status, now()
     from workflow_jobs, generate_series(1, 120) n where id = $1`,
    [jobId],
  )
  await aLetter(db, 'x')
  const { code, stdout } = await run('jobs', 'discard', '--all')
  assert.equal(code, 0)
  assert.equal(stdout.trim().split('\n').length, 122)
  assert.match((await run('jobs', 'dead')).stdout, /^Nothing has failed/)
  assert.match(
    (await run('jobs', 'discard', jobId)).stderr,
    /JOB_NOT_DISCARDABLE: The job is FAILED, and discarded/,
  )
})

test('nothing is done until it is clear which jobs are meant', async (t) => {
  const { db, run } = await anInstallation(t)
  const jobId = await aFailedJob(db)
  for (const args of [
    [],
    ['--code', 'MODEL_UNAVAILABLE'],
    [jobId, '--all'],
    [jobId, '--repository', 'octo/shop'],
  ]) {
    const { code, stderr } = await run('jobs', 'replay', ...args)
    assert.equal(code, 2)
    assert.match(stderr, /DEAD_WORK_UNNAMED/)
  }
  assert.equal((await getJob(db, jobId))?.status, 'FAILED')
})

test('claiming and posting are stopped and resumed, and the status says so, by whom and why', async (t) => {
  const { db, run } = await anInstallation(t)
  assert.match((await run('jobs', 'status')).stdout, /^claiming +on\nposting +on\nwaiting +0\n/)
  assert.equal((await run('jobs', 'pause', '--reason', 'upgrade')).code, 0)
  assert.equal((await run('posting', 'stop')).code, 0)
  assert.deepEqual(
    (await findStops(db)).map(({ name, reason }) => [name, reason]),
    [
      ['claiming', 'upgrade'],
      ['posting', null],
    ],
  )
  await aFailedJob(db)
  await aLetter(db, 'x')
  assert.match(
    (await run('jobs', 'status')).stdout,
    /^claiming +stopped since \S+ \S+ by .*cli.*: upgrade\nposting +stopped since .*\nwaiting +0\nrunning +0\nfailed +1\ndead letters +1\n$/,
  )
  assert.match((await run('jobs', 'resume')).stdout, /Workers take jobs/)
  assert.match((await run('posting', 'resume')).stdout, /Reviews are posted/)
  assert.match((await run('posting', 'resume')).stdout, /was not stopped/)
  assert.deepEqual(await findStops(db), [])
})
