import { createHmac, randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import { WEBHOOK_SECRET } from '../../../bench/ingest/payload.ts'

/** The load of the bench signs with it too. */
export { WEBHOOK_SECRET }

/** A signed webhook, and what has to become of it. */
export interface Webhook {
  /** `review`: a job that reviews. `closed`: no job, but its pull request is closed from then on. */
  kind: 'review' | 'closed'
  deliveryId: string
  /** Names the change: the branch of a review, the number of a pull request. */
  subject: string
  path: string
  headers: Record<string, string>
  body: Buffer
}

/** A change that may be asked to be reviewed, as the workers see it. */
export interface ReviewedChange {
  repository: string
  base: string
  head: string
}

interface Examples {
  name: string
  examples: (Record<string, unknown> & { action: string; pull_request: Record<string, unknown> })[]
}

const [opened, closed] = ['opened', 'closed'].map((action) => {
  const all: Examples[] = createRequire(import.meta.url)('@octokit/webhooks-examples')
  const found = all
    .find(({ name }) => name === 'pull_request')
    ?.examples.find((each) => each.action === action)
  if (!found) throw new Error(`@octokit/webhooks-examples has no pull_request.${action}`)
  return found
})

/** A title that has the model think as long as it says. */
export function thinkingTitle(seconds: number): string {
  return `This takes ${seconds} seconds to think about`
}

/** What `thinkingTitle` says; 0 for any other title. */
export function secondsToThink(prompt: string): number {
  return Number(/^Title: This takes (\d+) seconds to think about$/m.exec(prompt)?.[1] ?? 0)
}

/**
 * Asks for a review by plain git, so that workers really review. The body carries GitHub's own example of a
 * `pull_request` webhook besides (24 kB), so that it costs the handler what one of GitHub's does.
 */
export function reviewWebhook({ repository, base, head }: ReviewedChange, title: string): Webhook {
  const subject = `change-${randomUUID()}`
  const body = JSON.stringify({ repository, base, head, branch: subject, title, event: opened })
  return sign('review', '/webhooks/git', subject, body, (id, signature) => ({
    'x-kodus-delivery': id,
    'x-kodus-signature-256': signature,
  }))
}

/** GitHub's own example of a pull request that was closed, with another number. */
export function closedWebhook(number: number): Webhook {
  const body = JSON.stringify({ ...closed, number, pull_request: { ...closed?.pull_request, number } })
  return sign('closed', '/webhooks/github', String(number), body, (id, signature) => ({
    'x-github-event': 'pull_request',
    'x-github-delivery': id,
    'x-hub-signature-256': signature,
  }))
}

function sign(
  kind: Webhook['kind'],
  path: string,
  subject: string,
  json: string,
  headers: (id: string, signature: string) => Record<string, string>,
): Webhook {
  const deliveryId = randomUUID()
  const body = Buffer.from(json)
  const signature = `sha256=${createHmac('sha256', WEBHOOK_SECRET).update(body).digest('hex')}`
  return {
    kind,
    deliveryId,
    subject,
    path,
    body,
    headers: {
      'content-type': 'application/json',
      'content-length': String(body.length),
      ...headers(deliveryId, signature),
    },
  }
}
