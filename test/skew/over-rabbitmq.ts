import { createVhost, skipWithoutRabbitmq } from '../support/rabbitmq.ts'
import { testUpgradeOver } from './old-beside-new.ts'

testUpgradeOver({
  queue: 'RabbitMQ',
  skip: skipWithoutRabbitmq,
  queueEnv: async () => ({ RABBITMQ_URL: await createVhost() }),
})
