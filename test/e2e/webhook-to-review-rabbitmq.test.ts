import { describe } from 'node:test'
import { createVhost, skipWithoutRabbitmq } from '../support/rabbitmq.ts'
import { webhookToReview } from './webhook-to-review.ts'

describe('from webhook to review with RabbitMQ', () => {
  webhookToReview(async () => ({ RABBITMQ_URL: await createVhost() }), { skip: skipWithoutRabbitmq })
})
