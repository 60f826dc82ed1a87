import type { TestContext } from 'node:test'
import amqp from 'amqplib'
import { createRabbitmqQueue } from '../../src/jobs/rabbitmq-queue.ts'
import { declareTopology } from '../../src/jobs/topology.ts'
import { silentLog } from '../../src/lib/log.ts'
import { createDatabase } from '../support/database.ts'
import { everyRabbitmq, type SharedRabbitmq } from '../support/rabbitmq.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { type QueueServer, testJobQueue } from './job-queue.ts'

for (const rabbitmq of everyRabbitmq) {
  const { series, skip } = rabbitmq
  testJobQueue(`RabbitMQ ${series}`, { start: (t) => startServer(t, rabbitmq), skip })
}

/** A virtual host of its own, behind a proxy that can cut connections. */
async function startServer(t: TestContext, rabbitmq: SharedRabbitmq): Promise<QueueServer> {
  const { pool: db } = await createDatabase(t)
  const url = await rabbitmq.createVhost()
  await declareOnce(url)
  const { hostname, port } = new URL(url)
  const proxy = await startTcpProxy(t, { host: hostname, port: Number(port) })

  const openAt = (url: string) => {
    const queue = createRabbitmqQueue({ url, log: silentLog })
    t.after(() => queue.close())
    return queue
  }

  return {
    open: () => openAt(proxy.through(url)),
    openAway: () => openAt('amqp://127.0.0.1:1'),
    db,
    async cutConnections() {
      proxy.cut()
      proxy.restore()
    },
  }
}

/** As every start but the very first one finds it: what several do to an empty broker at once has a test of its own. */
async function declareOnce(url: string): Promise<void> {
  const connection = await amqp.connect(url)
  await declareTopology(connection)
  await connection.close()
}
