import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createServer } from 'node:tls'
import { createRabbitmqQueue } from '../../src/jobs/rabbitmq-queue.ts'
import { silentLog } from '../../src/lib/log.ts'
import { makeCertificates } from '../support/certificates.ts'
import { createVhost, skipWithoutRabbitmq } from '../support/rabbitmq.ts'

/** Ends TLS in front of a broker, as a managed broker's endpoint does; returns the `amqps://` URL. */
async function terminateTls(
  t: TestContext,
  url: string,
  { cert, key }: { cert: string; key: string },
): Promise<string> {
  const broker = new URL(url)
  const sockets = new Set<Socket>()
  const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (client) => {
    const upstream = connect(Number(broker.port), broker.hostname)
    for (const socket of [client, upstream]) sockets.add(socket.on('error', () => {}))
    client.pipe(upstream).pipe(client)
  })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = new URL(url)
  address.protocol = 'amqps:'
  address.port = String((server.address() as AddressInfo).port)
  return address.href
}

test('a broker with a private CA is reached with that CA, and not with another', {
  skip: skipWithoutRabbitmq,
}, async (t) => {
  const certificates = makeCertificates(t)
  const url = await terminateTls(t, await createVhost(), certificates)
  const message = { jobId: randomUUID(), type: 'code-review', version: 1 }

  const trusting = createRabbitmqQueue({ url, caFile: certificates.ca, log: silentLog })
  t.after(() => trusting.close())
  await trusting.publish([message])

  const distrusting = createRabbitmqQueue({ url, caFile: certificates.otherCa, log: silentLog })
  t.after(() => distrusting.close())
  await assert.rejects(distrusting.publish([message]), { code: 'QUEUE_UNAVAILABLE' })
})
