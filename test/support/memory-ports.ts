import assert from 'node:assert/strict'
import type { OpenChange, PostableReview, PullRequest, PullRequests } from '../../src/forges/forge.ts'
import type { ReviewRequest } from '../../src/jobs/review-request.ts'
import type { Finding, Review } from '../../src/review/review.ts'
import type { ReviewPorts } from '../../src/review/stage.ts'

export const reviewRequest: ReviewRequest = {
  repository: 'acme/shop',
  organisation: 'acme',
  pullRequest: '7',
  base: 'b'.repeat(40),
  head: 'a'.repeat(40),
  title: 'Pay by card',
  description: '',
  branch: 'cards',
  sender: 'ada',
  action: 'opened',
}

export const openPullRequest: PullRequest = {
  repository: 'acme/shop',
  pullRequest: '7',
  state: 'open',
  draft: false,
  head: reviewRequest.head,
  base: reviewRequest.base,
  baseBranch: 'main',
  headBranch: 'cards',
  title: 'Pay by card',
  description: '',
  author: 'ada',
  byApp: false,
  fromFork: false,
  headOwner: 'acme',
  updatedAt: '2026-01-01T00:00:00Z',
}

/** The ports of a review over one process's memory: what was posted is remembered as the stores would. */
export function memoryPorts(open: () => OpenChange = () => assert.fail('opened')) {
  const posted: { review: Review; postable: PostableReview }[] = []
  const dismissed = new Set<string>()
  let intended: Review | undefined
  const ports: ReviewPorts = {
    jobId: 'job',
    run: 1,
    forge: {
      reader: { open: async () => open() },
      poster: {
        async post(_request, postable) {
          assert.ok(intended, 'nothing is posted that was not intended')
          posted.push({ review: intended, postable })
          return { url: null, adopted: false, unplaced: 0 }
        },
      },
    },
    model: undefined,
    signal: new AbortController().signal,
    progress: async () => {},
    async recall() {
      const last = posted.at(-1)
      const said = new Map<string, Finding>()
      for (const { review } of posted) for (const finding of review.findings) said.set(finding.id, finding)
      return { last: last && { jobId: 'earlier', review: last.review }, said, dismissed }
    },
    observe: async ({ head, state }) => ({ head, state, hold: null }),
    loadCheckpoint: async () => undefined,
    saveCheckpoint: async () => {},
    committed: async () => undefined,
    async intend(review) {
      // As a database keeps it.
      intended = JSON.parse(JSON.stringify(review))
      return { review, posted: false }
    },
    stillOurs: async () => true,
    posted: async () => {},
  }
  return { ports, posted, dismissed }
}

export function pullRequests(now: Partial<PullRequest> = {}, rest: Partial<PullRequests> = {}): PullRequests {
  return {
    get: async () => ({ ...openPullRequest, ...now }),
    canWrite: async () => true,
    isAllowed: () => true,
    outsideChanges: 'wait',
    ...rest,
  }
}
