import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { KodusError } from '../../../src/lib/errors.ts'
import { makeCertificates } from '../../support/certificates.ts'
import { tokenClient } from './client-options.ts'
import { json, startRawApi } from './raw-api.ts'

interface ConnectProxy {
  port: number
  /** What it was asked to connect to, and as whom. */
  connects: { target: string; authorization: string | undefined }[]
}

/** A proxy as companies have them: CONNECT alone. It leads everything to `port`, whatever it is called. */
async function startProxy(t: TestContext, port: number, status = 200): Promise<ConnectProxy> {
  const connects: ConnectProxy['connects'] = []
  const proxy = createServer((_, response) => response.writeHead(405).end())
  proxy.on('connect', (request, client, head) => {
    connects.push({ target: request.url ?? '', authorization: request.headers['proxy-authorization'] })
    client.on('error', () => client.destroy())
    if (status !== 200) {
      client.end(`HTTP/1.1 ${status} No\r\n\r\n`)
      return
    }
    const upstream = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      upstream.write(head)
      upstream.pipe(client).pipe(upstream)
    })
    upstream.on('error', () => client.destroy())
    client.on('close', () => upstream.destroy())
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  t.after(() => {
    proxy.closeAllConnections()
    proxy.close()
  })
  return { port: (proxy.address() as AddressInfo).port, connects }
}

async function readUser(apiUrl: string, env: Record<string, string>) {
  const octokit = await tokenClient(apiUrl, { env }).forRepository('acme/app')
  return (await octokit.request('GET /user')).data
}

const USER = json(200, { login: 'robot', id: 3 })

test('a server with a private authority is trusted when that is named, and only then', async (t) => {
  const certificates = makeCertificates(t)
  const api = await startRawApi(t, certificates)
  api.on('GET /user', USER)
  assert.equal((await readUser(api.url, { GITHUB_CA_FILE: certificates.ca })).id, 3)
  assert.equal((await readUser(api.url, { GIT_SSL_CAINFO: certificates.ca })).id, 3)
  const { otherCa } = certificates
  for (const env of [
    {},
    { GITHUB_CA_FILE: otherCa },
    { GITHUB_CA_FILE: otherCa, GIT_SSL_CAINFO: certificates.ca },
  ]) {
    await assert.rejects(readUser(api.url, env as Record<string, string>), (error: KodusError) => {
      assert.equal(error.code, 'GITHUB_UNREACHABLE')
      assert.match(error.help, /GITHUB_CA_FILE/)
      return true
    })
  }
  assert.equal(api.requests.length, 2)
})

test('GitHub is reached through the proxy, which sees the name and not the request', async (t) => {
  const certificates = makeCertificates(t)
  const api = await startRawApi(t, certificates)
  api.on('GET /api/v3/user', USER)
  const { port } = new URL(api.url)
  const proxy = await startProxy(t, Number(port))
  const env = { GITHUB_CA_FILE: certificates.ca, HTTPS_PROXY: `http://me:p%40ss@127.0.0.1:${proxy.port}` }
  // The certificate is for localhost, a name that only the proxy needs to know.
  assert.equal((await readUser(`https://localhost:${port}/api/v3`, env)).id, 3)
  const authorization = `Basic ${Buffer.from('me:p@ss').toString('base64')}`
  assert.deepEqual(proxy.connects, [{ target: `localhost:${port}`, authorization }])
})

test('ALL_PROXY will do, and NO_PROXY goes past it', async (t) => {
  const certificates = makeCertificates(t)
  const api = await startRawApi(t, certificates)
  api.on('GET /user', USER)
  const proxy = await startProxy(t, Number(new URL(api.url).port))
  const env = { GITHUB_CA_FILE: certificates.ca, ALL_PROXY: `http://127.0.0.1:${proxy.port}` }
  assert.equal((await readUser(api.url, env)).id, 3)
  assert.equal(proxy.connects.length, 1)
  assert.equal((await readUser(api.url, { ...env, NO_PROXY: 'example.com,127.0.0.1' })).id, 3)
  assert.equal(proxy.connects.length, 1)
})

test('a proxy may be named without its protocol, as for curl; one that cannot be is told at start', async (t) => {
  const certificates = makeCertificates(t)
  const api = await startRawApi(t, certificates)
  api.on('GET /user', USER)
  const proxy = await startProxy(t, Number(new URL(api.url).port))
  const env = { GITHUB_CA_FILE: certificates.ca, HTTPS_PROXY: `me:pw@127.0.0.1:${proxy.port}` }
  assert.equal((await readUser(api.url, env)).id, 3)
  assert.equal(proxy.connects.length, 1)
  assert.throws(
    () => tokenClient(api.url, { env: { HTTPS_PROXY: 'socks4://me:hunter2@proxy:1' } }),
    (error: KodusError) => error.code === 'CONFIG_INVALID' && !error.message.includes('hunter2'),
  )
})

test('the proxy for http is not the one for https', async (t) => {
  const certificates = makeCertificates(t)
  const api = await startRawApi(t, certificates)
  api.on('GET /user', USER)
  const env = { GITHUB_CA_FILE: certificates.ca, http_proxy: 'http://127.0.0.1:1' }
  assert.equal((await readUser(api.url, env)).id, 3)
})

test('a proxy that refuses is named as what to look at, without its password', async (t) => {
  const certificates = makeCertificates(t)
  const api = await startRawApi(t, certificates)
  const proxy = await startProxy(t, Number(new URL(api.url).port), 407)
  const env = { GITHUB_CA_FILE: certificates.ca, HTTPS_PROXY: `http://me:hunter2@127.0.0.1:${proxy.port}` }
  await assert.rejects(readUser(api.url, env), (error: KodusError) => {
    assert.equal(error.code, 'GITHUB_UNREACHABLE')
    assert.match(error.message, /407/)
    assert.match(error.help, /HTTPS_PROXY/)
    assert.doesNotMatch(JSON.stringify([error.message, error.help, error.stack]), /hunter2/)
    return true
  })
  assert.deepEqual(api.requests, [])
})

test('the proxies are those of the configuration, not of whoever started the process', async (t) => {
  const api = await startRawApi(t)
  api.on('GET /user', USER)
  const names = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY']
  const before = Object.fromEntries(names.map((name) => [name, process.env[name]]))
  t.after(() => {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  })
  for (const name of names) process.env[name] = 'http://127.0.0.1:1'
  assert.equal((await readUser(api.url, {})).id, 3)
})
