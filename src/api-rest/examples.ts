import type * as v from 'valibot'
import type * as schemas from './schemas.ts'

/** One job's story, as `/openapi.json` shows it. */
export const EXAMPLE_SUMMARY: v.InferInput<typeof schemas.JobSummary> = {
  id: '5f0c8a36-6e0e-5b0a-9d53-0f5ad1c0f1de',
  type: 'code-review',
  status: 'COMPLETED',
  forge: 'github',
  repository: 'octo-org/shop',
  organisation: 'octo-org',
  pullRequest: '42',
  title: 'Send receipts by e-mail',
  branch: 'receipts',
  base: '3c3dcd1e5a7d1c3ad5a0a2ec4d8a0a3f4b1f3c11',
  head: '9fceb02d0ae598e95dc970b74767f19372d61af8',
  sender: 'octocat',
  deliveryId: '72d3162e-cc78-11e3-81ab-4c9367dc0958',
  run: 1,
  attempts: 1,
  stage: 'publish',
  progress: 100,
  error: null,
  createdAt: '2026-03-02T09:14:07.312Z',
  updatedAt: '2026-03-02T09:14:31.870Z',
  startedAt: '2026-03-02T09:14:07.391Z',
  finishedAt: '2026-03-02T09:14:31.870Z',
}

const FINDING: v.InferInput<typeof schemas.Finding> = {
  id: '0d2b5b6f6a1f4d1c',
  source: 'rule',
  rule: 'typescript/floating-promise',
  path: 'src/receipts.ts',
  line: 18,
  endLine: 18,
  severity: 'high',
  what: 'The promise of sendMail is dropped.',
  why: 'When sending fails nobody learns of it, and the rejection may end the process.',
  advice: 'Await it, or handle its rejection.',
  replacement: '  await sendMail(receipt)',
}

export const EXAMPLE_JOB: v.InferInput<typeof schemas.Job> = {
  ...EXAMPLE_SUMMARY,
  findings: [FINDING],
  review: {
    base: EXAMPLE_SUMMARY.base,
    head: EXAMPLE_SUMMARY.head,
    files: { reviewed: 3, changed: 4 },
    findings: [FINDING],
    notes: [{ about: 'package-lock.json', reason: 'generated' }],
    model: { used: false, reason: 'LLM_BASE_URL is not set' },
  },
  reviewUrl: 'https://github.com/octo-org/shop/pull/42#pullrequestreview-1',
}

export const EXAMPLE_EVENTS: v.InferInput<typeof schemas.JobEvent>[] = [
  {
    id: '311',
    run: 1,
    attempt: 0,
    from: null,
    to: 'PENDING',
    reason: 'webhook: opened',
    actor: 'octocat',
    stage: null,
    progress: null,
    at: '2026-03-02T09:14:07.313Z',
  },
  {
    id: '312',
    run: 1,
    attempt: 1,
    from: 'PENDING',
    to: 'PROCESSING',
    reason: 'claimed',
    actor: 'worker-1:4711',
    stage: null,
    progress: null,
    at: '2026-03-02T09:14:07.391Z',
  },
  {
    id: '313',
    run: 1,
    attempt: 1,
    from: 'PROCESSING',
    to: 'PROCESSING',
    reason: 'began gather-change',
    actor: 'worker-1:4711',
    stage: 'gather-change',
    progress: 0,
    at: '2026-03-02T09:14:07.402Z',
  },
]
