import { describe } from 'node:test'
import { githubDescription } from '../../github/server.ts'
import { createVhost, skipWithoutRabbitmq } from '../../support/rabbitmq.ts'
import { disorder } from './disorder.ts'

const skip = skipWithoutRabbitmq || (await githubDescription())

describe('webhooks of GitHub out of step, with RabbitMQ', () => {
  disorder(async () => ({ RABBITMQ_URL: await createVhost() }), { skip })
})
