import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createDatabase } from '../support/database.ts'
import { kodus } from '../support/kodus.ts'
import { aDirectory } from './start-setup.ts'

/** Sees that port 3332 is taken: by us, or by whoever has it already. */
async function takePort(t: TestContext): Promise<void> {
  const server = createServer()
  t.after(() => server.close())
  server.listen(3332, '127.0.0.1')
  await once(server, 'listening').catch((error) => assert.equal(error.code, 'EADDRINUSE'))
}

test('where GitHub calls, a start whose port is taken fails instead of moving to another', async (t) => {
  await takePort(t)
  const { url } = await createDatabase(t)
  const { code, stdout, stderr } = await kodus(['up'], {
    DATABASE_URL: url,
    KODUS_DIRECTORY: aDirectory(t),
    // So that it ends in any case.
    API_PORT: '3332',
    GITHUB_WEBHOOK_SECRET: 'a secret of GitHub',
  })
  assert.equal(code, 2)
  assert.match(stdout, /LISTEN_FAILED.*Port 3332|Port 3332.*LISTEN_FAILED/)
  assert.match(stderr, /^COMPONENT_NOT_STARTED: webhook.*\nIts own last log line says why\.$/m)
})

test('where nobody was told the port, a start whose port is taken moves to another, and warns', async (t) => {
  await takePort(t)
  const { url } = await createDatabase(t)
  const start = (port: Record<string, string>) =>
    // So that it ends in any case.
    kodus(['up'], { DATABASE_URL: url, KODUS_DIRECTORY: aDirectory(t), API_PORT: '3332', ...port })
  const warning =
    /"level":"warn".*port 3332 is taken: webhooks are taken at \d+; set WEBHOOK_PORT to insist on one/
  assert.match((await start({})).stdout, warning)
  assert.doesNotMatch((await start({ WEBHOOK_PORT: '0' })).stdout, /port 3332 is taken: webhooks/)
})
