import { createVhost, skipWithoutRabbitmq } from '../support/rabbitmq.ts'
import { databaseClock } from './database-clock.ts'

databaseClock(async () => ({ RABBITMQ_URL: await createVhost() }), { skip: skipWithoutRabbitmq })
