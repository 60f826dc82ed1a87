import { randomBytes } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { missing } from './missing.ts'
import { type Series, seriesKnown } from './rabbitmq-installation.ts'
import { nodeFile, rabbitmqctl, readNodeFile } from './rabbitmq-node.ts'

export { type RabbitmqNode, startRabbitmqNode } from './rabbitmq-node.ts'

/** A node that all tests of a run share. Whoever declares something takes a virtual host: `createVhost()`. */
export interface SharedRabbitmq {
  series: Series
  /** For a test's `skip`: why it cannot run with this one. On CI it runs, and fails. */
  skip: string | false
  url(): string
  /** A virtual host nobody else uses, with nothing in it: the URL of a RabbitMQ of its own, as far as a test sees. */
  createVhost(): Promise<string>
  /** `rabbitmqctl` on it. Name your virtual host (`--vhost`): others are at work beside you. */
  ctl(args: string[]): Promise<string>
}

const { KODUS_TEST_RABBITMQ_DIRECTORY: directory, CI } = process.env

/** One of each series: for what must hold whichever RabbitMQ an installation has. */
export const everyRabbitmq: readonly SharedRabbitmq[] = seriesKnown.map(sharedRabbitmq)

/** The oldest that runs: for all other tests. */
const oldest = everyRabbitmq.find(({ series }) => runs(series)) ?? sharedRabbitmq('3')

export const skipWithoutRabbitmq = oldest.skip
export const rabbitmqUrl = oldest.url
export const createVhost = oldest.createVhost
export const sharedRabbitmqctl = oldest.ctl

function sharedRabbitmq(series: Series): SharedRabbitmq {
  const nodeDirectory = () => {
    if (directory && runs(series)) return path.join(directory, series)
    throw new Error(`RabbitMQ ${series} is not running: run this with \`npm test -- <file>\``)
  }
  const url = () => readNodeFile(nodeDirectory()).url
  const ctl: SharedRabbitmq['ctl'] = async (args) => rabbitmqctl(nodeDirectory(), args)
  return {
    series,
    skip:
      !runs(series) && CI !== 'true' && missing(`RabbitMQ ${series} is not running; \`npm test\` starts it`),
    url,
    ctl,
    async createVhost() {
      const vhost = `test-${randomBytes(6).toString('hex')}`
      const definitions = {
        vhosts: [{ name: vhost }],
        permissions: [{ vhost, user: 'guest', configure: '.*', write: '.*', read: '.*' }],
      }
      // From 4.0 on `rabbitmqctl` no longer reads them from its input.
      const file = path.join(nodeDirectory(), `${vhost}.json`)
      writeFileSync(file, JSON.stringify(definitions))
      await ctl(['import_definitions', file])
      return `${url()}/${vhost}`
    },
  }
}

function runs(series: Series): boolean {
  return directory !== undefined && existsSync(nodeFile(path.join(directory, series)))
}
