import { randomBytes } from 'node:crypto'
import { missing } from './missing.ts'
import { rabbitmqctl } from './rabbitmq-node.ts'

export { type RabbitmqNode, startRabbitmqNode } from './rabbitmq-node.ts'

const { KODUS_TEST_RABBITMQ_URL: url, KODUS_TEST_RABBITMQ_DIRECTORY: directory, CI } = process.env

/** For a test's `skip`: why it cannot run without RabbitMQ. On CI it runs, and fails. */
export const skipWithoutRabbitmq: string | false =
  url === undefined && CI !== 'true' && missing('RabbitMQ is not running; `npm test` starts it')

/** The node that all tests of a run share. Whoever declares something takes a virtual host: `createVhost()`. */
export function rabbitmqUrl(): string {
  if (url === undefined)
    throw new Error('KODUS_TEST_RABBITMQ_URL is not set: run this with `npm test -- <file>`')
  return url
}

/** A virtual host nobody else uses, with nothing in it: the URL of a RabbitMQ of its own, as far as a test sees. */
export async function createVhost(): Promise<string> {
  const vhost = `test-${randomBytes(6).toString('hex')}`
  const definitions = {
    vhosts: [{ name: vhost }],
    permissions: [{ vhost, user: 'guest', configure: '.*', write: '.*', read: '.*' }],
  }
  await sharedRabbitmqctl(['import_definitions'], JSON.stringify(definitions))
  return `${rabbitmqUrl()}/${vhost}`
}

/** `rabbitmqctl` on the shared node. Name your virtual host (`--vhost`): others are at work beside you. */
export function sharedRabbitmqctl(args: string[], input?: string): Promise<string> {
  if (directory === undefined)
    throw new Error('KODUS_TEST_RABBITMQ_DIRECTORY is not set: run this with `npm test`')
  return rabbitmqctl(directory, args, input)
}
