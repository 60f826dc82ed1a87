import { describe } from 'node:test'
import { githubDescription } from '../../github/server.ts'
import { createVhost, skipWithoutRabbitmq } from '../../support/rabbitmq.ts'
import { strikes } from './strikes.ts'

const skip = skipWithoutRabbitmq || (await githubDescription())

describe('strikes, with RabbitMQ', () => {
  strikes(async () => ({ RABBITMQ_URL: await createVhost() }), { skip })
})
