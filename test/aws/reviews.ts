import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { namesOf } from '../../src/ecs-names.ts'
import { createApiKey } from '../../src/store/create-api-key.ts'
import { gitWebhook } from '../support/git-webhook.ts'
import type { Served } from './account.ts'
import type { Installation } from './installation.ts'

export interface FinishedJob {
  id: string
  status: string
  review: { findings: { path: string; line: number; rule: string }[] } | null
}

const WITHIN_MS = 90_000
const UNFINISHED = ['PENDING', 'PROCESSING', 'RETRYING']

/** Asks again and again until it is so. @throws Error that says what never was */
export async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + WITHIN_MS
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`Not within ${WITHIN_MS / 1000} s: ${what}`)
    await sleep(200)
  }
}

/** Where a component's load balancer is: MiniStack has all of them at its own address. */
export function balancerUrl({ ministack }: Installation, type: Served): string {
  return `${ministack.endpoint}/_alb/${namesOf(type).loadBalancer}`
}

/** Resolves when both load balancers have somebody behind them who is ready. */
export async function ready(it: Installation): Promise<void> {
  for (const type of ['webhook', 'api'] as const) {
    await until(`${type} is ready`, async () => (await fetch(`${balancerUrl(it, type)}/ready`)).ok)
  }
}

/** Sends a signed webhook of a new commit through the one load balancer, and reads the job through the other. */
export async function reviewNewCommit(it: Installation): Promise<FinishedJob> {
  await ready(it)
  const { key } = await createApiKey(it.db, { name: 'this test', scopes: ['read'] })
  const content = `def total(items, seen=[]):\n    seen.append('${randomUUID()}')\n    return sum(items)\n`
  const change = {
    repository: it.repositoryUrl,
    base: it.repository.base,
    head: it.repository.commit({ 'orders.py': content }),
    branch: randomUUID(),
    title: 'A change',
  }
  const url = `${balancerUrl(it, 'webhook')}/webhooks/git`
  const answer = await fetch(url, { method: 'POST', ...gitWebhook(change, it.webhookSecret) })
  assert.equal(answer.status, 202, await answer.clone().text())
  const { jobId } = (await answer.json()) as { jobId: string }

  let job: FinishedJob | undefined
  await until(`job ${jobId} has ended`, async () => {
    const headers = { authorization: `Bearer ${key}` }
    const read = await fetch(`${balancerUrl(it, 'api')}/jobs/${jobId}`, { headers })
    assert.equal(read.status, 200)
    job = (await read.json()) as FinishedJob
    return !UNFINISHED.includes(job.status)
  })
  assert.ok(job)
  return job
}
