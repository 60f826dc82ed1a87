import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createApp } from '../../src/api-rest/app.ts'
import { silentLog } from '../../src/lib/log.ts'
import { assertValid, type Document, findOperation, type Operation } from './declared-answers.ts'

const nowhere = { query: () => Promise.reject(new Error('this test has no database')) }

async function describeApi() {
  const metrics = { render: async () => '# EOF\n', token: undefined }
  const app = await createApp({ db: nowhere, log: silentLog, version: '1.2.3', instanceId: 'test', metrics })
  const routes: { method: string; url: string }[] = []
  // Fastify prints what its router holds; nothing else can tell a route that somebody forgot to describe.
  await app.ready()
  const lines = app.printRoutes({ commonPrefix: false }).split('\n')
  const trail: string[] = []
  for (const line of lines) {
    const match = /^([│ ]*)[├└]── (\S+)(?: \(([^)]+)\))?/.exec(line)
    if (!match) continue
    const depth = (match[1] ?? '').length / 4
    trail.length = depth
    trail.push(match[2] ?? '')
    for (const method of match[3]?.split(', ') ?? []) routes.push({ method, url: trail.join('') })
  }
  const document = (await app.inject('/openapi.json')).json() as Document
  return { app, routes, document }
}

function operations(document: Document): [string, Operation][] {
  return Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    Object.entries(item as Record<string, Operation>).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  )
}

test('every route is described', async () => {
  const { app, routes, document } = await describeApi()
  const own = routes.filter(
    ({ method, url }) => method !== 'HEAD' && method !== 'OPTIONS' && !url.startsWith('/docs'),
  )
  assert.ok(own.length >= 8, JSON.stringify(routes))
  for (const { method, url } of own)
    assert.ok(findOperation(document, method, url), `${method} ${url} is not described`)
  assert.equal(own.length, operations(document).length)
  await app.close()
})

test('the document is OpenAPI 3.1, and every reference and example in it is valid', async () => {
  const { app, document } = await describeApi()
  assert.equal(document.openapi, '3.1.0')
  const ids = operations(document).map(([, { operationId }]) => operationId)
  assert.equal(new Set(ids).size, ids.length)

  for (const [name, operation] of operations(document)) {
    assert.ok(operation.summary, name)
    for (const [status, { description, content }] of Object.entries(operation.responses)) {
      assert.ok(description && description !== 'Default Response', `${name} ${status} has no description`)
      for (const [type, { schema, example }] of Object.entries(content)) {
        const what = `the example of ${name} ${status} ${type}`
        if (status.startsWith('2') && operation.operationId !== 'getOpenApi')
          assert.notEqual(example, undefined, `${what} is missing`)
        if (example !== undefined) assertValid(document, schema, example, what)
        assert.equal(
          status.startsWith('2'),
          type !== 'application/problem+json',
          `${name} ${status} is ${type}`,
        )
      }
    }
  }
  await app.close()
})

test('what needs a key says so, and what answers without one does not', async () => {
  const { app, document } = await describeApi()
  for (const [name, { security, responses }] of operations(document)) {
    const [method = '', path = ''] = name.split(' ')
    const { statusCode } = await app.inject({ method: method as 'GET', url: path.replace('{id}', 'x') })
    assert.equal(security !== undefined, statusCode === 401, name)
    assert.equal('401' in responses, statusCode === 401, name)
  }
  await app.close()
})

test('the page at /docs needs no key and loads nothing from elsewhere', async () => {
  const { app } = await describeApi()
  for (const url of ['/docs', '/docs/']) {
    const page = await app.inject(url)
    assert.equal(page.statusCode, 200)
    assert.match(String(page.headers['content-security-policy']), /^default-src 'self';/)
    const links = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(
      ([, link = '']) => new URL(link, 'http://api/docs/'),
    )
    assert.ok(links.length >= 5)
    for (const link of links) {
      assert.equal(link.host, 'api', `${link} is elsewhere`)
      assert.equal((await app.inject(link.pathname)).statusCode, 200, link.pathname)
    }
  }
  assert.equal((await app.inject('/docs/json')).json().openapi, '3.1.0')
  await app.close()
})

test('an answer that is not declared fails these tests', async () => {
  const { app, document } = await describeApi()
  const health = { status: 'ok', component: 'api-rest', version: '1', instance: 'x' }
  const schema = { $ref: '#/components/schemas/Health' }
  assertValid(document, schema, health, 'health')
  assert.throws(
    () => assertValid(document, schema, { ...health, secret: 1 }, 'health'),
    /additional properties/,
  )
  assert.throws(() => assertValid(document, schema, { status: 'ok' }, 'health'), /required/)
  await app.close()
})
