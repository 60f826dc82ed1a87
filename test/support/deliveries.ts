import { createHash, randomUUID } from 'node:crypto'
import {
  type CommandRequest,
  type Delivery,
  type ForgeName,
  jobIdOf,
  type PullRequestState,
  type ReviewRequest,
} from '../../src/jobs/review-request.ts'

/** A verified `git` delivery for a change nobody has asked about before; `over` changes parts of it. */
export function aDelivery(
  over: {
    forge?: ForgeName
    deliveryId?: string
    digest?: string
    request?: Partial<ReviewRequest>
    pullRequest?: Partial<PullRequestState>
  } = {},
): Delivery {
  const { forge = 'git', deliveryId = randomUUID() } = over
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
    forge,
    deliveryId,
    jobId: jobIdOf(forge, deliveryId),
    receivedAt: new Date().toISOString(),
    digest: over.digest ?? createHash('sha256').update(randomUUID()).digest('hex'),
    request,
    ...(pullRequest ? { pullRequest } : {}),
  }
}

/** A verified comment at GitHub that addresses the reviewer; `over` changes parts of what it says. */
export function aCommand(over: Partial<CommandRequest>): Delivery & { command: CommandRequest } {
  const deliveryId = randomUUID()
  return {
    forge: 'github',
    deliveryId,
    jobId: jobIdOf('github', deliveryId),
    receivedAt: new Date().toISOString(),
    digest: createHash('sha256').update(deliveryId).digest('hex'),
    command: {
      repository: 'octo/shop',
      organisation: 'octo',
      pullRequest: '7',
      command: 'review',
      force: false,
      sender: 'mona',
      comment: { id: '4711', place: 'conversation', threadId: null },
      ...over,
    },
  }
}
