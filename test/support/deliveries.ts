import { createHash, randomUUID } from 'node:crypto'
import {
  type Delivery,
  jobIdOf,
  type PullRequestState,
  type ReviewRequest,
} from '../../src/jobs/review-request.ts'

/** A verified `git` delivery for a change nobody has asked about before; `over` changes parts of it. */
export function aDelivery(
  over: {
    deliveryId?: string
    digest?: string
    request?: Partial<ReviewRequest>
    pullRequest?: Partial<PullRequestState>
  } = {},
): Delivery {
  const deliveryId = over.deliveryId ?? randomUUID()
  const request: ReviewRequest = {
    repository: 'https://example.com/acme/shop.git',
    organisation: 'example.com',
    pullRequest: null,
    base: 'a'.repeat(40),
    head: 'b'.repeat(40),
    title: 'A change',
    description: '',
    branch: null,
    sender: null,
    action: 'requested',
    ...over.request,
  }
  const pullRequest: PullRequestState | undefined = over.pullRequest && {
    repository: request.repository,
    pullRequest: request.pullRequest ?? '1',
    head: request.head,
    state: 'open',
    draft: false,
    updatedAt: null,
    ...over.pullRequest,
  }
  return {
    forge: 'git',
    deliveryId,
    jobId: jobIdOf('git', deliveryId),
    receivedAt: new Date().toISOString(),
    digest: over.digest ?? createHash('sha256').update(randomUUID()).digest('hex'),
    request,
    ...(pullRequest ? { pullRequest } : {}),
  }
}
