import { describe } from 'node:test'
import { webhookToReview } from './webhook-to-review.ts'

describe('from webhook to review with PostgreSQL as the queue', () => {
  webhookToReview(async () => ({}), { skip: false })
})
