import { keepConnected } from '../../jobs/rabbitmq-connection.ts'
import { declareTopology } from '../../jobs/topology.ts'
import { KodusError, messageOf } from '../../lib/errors.ts'
import { silentLog } from '../../lib/log.ts'
import type { Check } from './check.ts'

export const checkQueue: Check = async (env) => {
  if (!env.RABBITMQ_URL) return { state: 'ok', says: 'PostgreSQL (RABBITMQ_URL is not set)' }
  const options = { url: env.RABBITMQ_URL, caFile: env.RABBITMQ_CA_FILE, log: silentLog }
  const connection = keepConnected(options, 'to look at it', async (_channel, model) => {
    await declareTopology(model)
    return String(model.connection.serverProperties.version)
  })
  await connection.attempted
  const version = connection.session()
  const failure = connection.failure()
  await connection.close()
  if (version) return { state: 'ok', says: `RabbitMQ ${version} at RABBITMQ_URL` }
  if (failure instanceof KodusError) throw failure
  throw new KodusError('QUEUE_UNAVAILABLE', `RabbitMQ cannot be reached: ${messageOf(failure)}`, {
    help: 'Check RABBITMQ_URL, RABBITMQ_CA_FILE and that the broker runs.',
    cause: failure,
  })
}
