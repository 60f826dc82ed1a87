import type { ForgeName } from '../jobs/review-request.ts'
import { gitWebhook } from './git/webhook.ts'
import { githubWebhook } from './github/webhook.ts'
import type { WebhookSource } from './webhook-source.ts'

/** The ingest side of every forge; `/webhooks/<name>` is its address. */
export const WEBHOOK_SOURCES: Readonly<Record<ForgeName, WebhookSource>> = {
  git: gitWebhook,
  github: githubWebhook,
}
