import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createGitHubDeliveryLog } from '../../../src/forges/github/deliveries.ts'
import { githubDescription } from '../../github/description.ts'
import { type GitHub, startGitHub } from '../../github/server.ts'
import { appClient, tokenClient } from './client-options.ts'
import { createClient } from './posting.ts'
import { json, startRawApi } from './raw-api.ts'

const skip = await githubDescription()
const signal = AbortSignal.timeout(60_000)
const threeDaysAgo = () => new Date(Date.now() - 3 * 24 * 3600_000)

/** A GitHub whose webhooks find nobody, with a pull request that was opened, and commented on. */
async function startUnheard(t: TestContext): Promise<GitHub> {
  const github = await startGitHub(t)
  const shop = github.createRepository('octo/shop', { files: { 'a.ts': 'let a = 1\n' } })
  shop.commit('feature', { 'a.ts': 'let a = 2\n' })
  shop.openPullRequest({ head: 'feature', author: 'mona' }).comment('mona', '@kody review')
  await github.webhooks.settled()
  return github
}

test('what the App could not hand over is told, oldest first, and handed over under the same id', {
  skip,
}, async (t) => {
  const github = await startUnheard(t)
  const log = createGitHubDeliveryLog({ client: createClient(github), repositories: [] })
  const { deliveries, unread } = await log.failedSince(threeDaysAgo(), signal)
  assert.deepEqual(unread, [])
  const sent = github.webhooks.deliveries
  assert.deepEqual(
    deliveries.map(({ event, deliveryId, attemptId, source, failure }) => ({
      event,
      deliveryId,
      attemptId,
      source,
      failure,
    })),
    sent.map(({ event, guid, id }) => ({
      event,
      deliveryId: guid,
      attemptId: String(id),
      source: 'app',
      failure: '502',
    })),
  )
  assert.deepEqual(
    deliveries.map(({ event }) => event),
    ['pull_request', 'issue_comment'],
  )
  const [first] = deliveries
  assert.ok(first)
  await log.redeliver(first, signal)
  await github.webhooks.settled()
  assert.equal(sent.at(-1)?.redelivery, true)
  assert.equal(sent.at(-1)?.guid, first.deliveryId)

  const again = await log.failedSince(threeDaysAgo(), signal)
  assert.equal(again.deliveries.length, 2)
  assert.ok(
    again.deliveries.some(({ attemptId }) => attemptId === String(sent.at(-1)?.id)),
    'by its newest attempt',
  )
})

test('with a token, the webhooks that lead here are asked, and a repository that cannot be does not hide the others', {
  skip,
}, async (t) => {
  const github = await startGitHub(t)
  const shop = github.createRepository('octo/shop', { installed: false, files: { 'a.ts': 'let a = 1\n' } })
  const client = createClient(github, 'octo')
  const octokit = await client.forRepository('octo/shop')
  for (const url of ['http://127.0.0.1:9/webhooks/github', 'http://127.0.0.1:9/somebody-else']) {
    await octokit.request('POST /repos/{owner}/{repo}/hooks', {
      owner: 'octo',
      repo: 'shop',
      name: 'web',
      config: { url, content_type: 'json' },
      events: ['pull_request'],
    })
  }
  shop.commit('feature', { 'a.ts': 'let a = 2\n' })
  shop.openPullRequest({ head: 'feature' })
  await github.webhooks.settled()

  const repositories = ['octo/gone', 'octo', 'octo/shop']
  const log = createGitHubDeliveryLog({ client, repositories })
  const { deliveries, unread } = await log.failedSince(threeDaysAgo(), signal)
  assert.deepEqual(
    deliveries.map(({ event, source }) => [event, /^octo\/shop\/\d+$/.test(source)]),
    [['pull_request', true]],
  )
  assert.deepEqual(
    unread.map(({ source, reason }) => [source, /GITHUB_NOT_FOUND/.test(reason)]),
    [['octo/gone', true]],
  )
  const [failed] = deliveries
  assert.ok(failed)
  await log.redeliver(failed, signal)
  await github.webhooks.settled()
  assert.equal(github.webhooks.deliveries.at(-1)?.guid, failed.deliveryId)

  await assert.rejects(log.redeliver({ ...failed, source: 'app' }, signal), {
    code: 'GITHUB_DELIVERY_FOREIGN',
  })
  const listless = createGitHubDeliveryLog({ client, repositories: ['octo'] })
  await assert.rejects(listless.failedSince(threeDaysAgo(), signal), { code: 'GITHUB_HOOKS_UNKNOWN' })
})

function item(id: string, over: object = {}) {
  const at = new Date().toISOString()
  const rest = {
    guid: `g-${id}`,
    delivered_at: at,
    status: 'failed',
    status_code: 502,
    event: 'pull_request',
  }
  return JSON.stringify({ ...rest, ...over }).replace('{', `{"id":${id},`)
}

const list =
  (items: string[], headers: Record<string, string> = {}) =>
  (response: import('node:http').ServerResponse) => {
    response.writeHead(200, { 'content-type': 'application/json', ...headers })
    response.end(`[${items.join(',')}]`)
  }

test('an id beyond what a number holds comes back as it was', async (t) => {
  const api = await startRawApi(t)
  const id = '3842091948768772097'
  api.on('GET /app/hook/deliveries?per_page=100&status=failure', list([item(id)]))
  api.on(`POST /app/hook/deliveries/${id}/attempts`, json(202, {}))
  const log = createGitHubDeliveryLog({ client: appClient(api.url), repositories: [] })
  const { deliveries } = await log.failedSince(threeDaysAgo(), signal)
  assert.equal(deliveries[0]?.attemptId, id)
  for (const delivery of deliveries) await log.redeliver(delivery, signal)
  assert.equal(api.count(`POST /app/hook/deliveries/${id}/attempts`), 1)
})

test('a server that tells of all deliveries is understood: what arrived later did not fail', async (t) => {
  const api = await startRawApi(t)
  const first = 'GET /app/hook/deliveries?per_page=100&status=failure'
  const old = new Date(Date.now() - 4 * 24 * 3600_000).toISOString()
  const next = `<${api.url}/app/hook/deliveries?per_page=100&cursor=v1_7>; rel="next"`
  const end = `<${api.url}/app/hook/deliveries?per_page=100&cursor=v1_8>; rel="next"`
  api.on(
    first,
    list(
      [
        item('9', { guid: 'later', status: 'OK', status_code: 202 }),
        item('8', { guid: 'never', status: 'timed out', status_code: 0 }),
        item('7', { guid: 'push', event: 'push' }),
      ],
      { link: next },
    ),
  )
  api.on(
    `${first}&cursor=v1_7`,
    list([item('6', { guid: 'later' }), item('5', { guid: 'never' }), item('4', { delivered_at: old })], {
      link: end,
    }),
  )
  const log = createGitHubDeliveryLog({ client: appClient(api.url), repositories: [] })
  const { deliveries } = await log.failedSince(threeDaysAgo(), signal)
  assert.deepEqual(
    deliveries.map(({ deliveryId, attemptId, failure }) => ({ deliveryId, attemptId, failure })),
    [{ deliveryId: 'never', attemptId: '8', failure: 'timed out' }],
  )
  assert.equal(api.count(`${first}&cursor=v1_8`), 0, 'older pages are not asked for')
})

test('of all deliveries, what arrived is told too, by its newest attempt, unless it can ask for nothing', async (t) => {
  const api = await startRawApi(t)
  const old = new Date(Date.now() - 2 * 3600_000).toISOString()
  const comment = { event: 'issue_comment', status: 'OK', status_code: 202 }
  const next = `<${api.url}/app/hook/deliveries?per_page=100&cursor=v1_7>; rel="next"`
  api.on(
    'GET /app/hook/deliveries?per_page=100',
    list(
      [
        item('9', { guid: 'heard', action: 'closed', status: 'OK', status_code: 202 }),
        item('8', { guid: 'again', action: 'opened' }),
        item('7', { guid: 'unheard', action: 'opened' }),
      ],
      { link: next },
    ),
  )
  api.on(
    'GET /app/hook/deliveries?per_page=100&cursor=v1_7',
    list([
      item('6', { guid: 'again', action: 'opened', status: 'OK', status_code: 202 }),
      item('5', { guid: 'asked', action: 'created', ...comment }),
      item('4', { guid: 'edited', action: 'edited', ...comment }),
      item('3', { guid: 'labelled', action: 'labeled' }),
      item('2', { guid: 'before', delivered_at: old }),
    ]),
  )
  const log = createGitHubDeliveryLog({ client: appClient(api.url), repositories: [] })
  const { deliveries } = await log.sentSince(new Date(Date.now() - 3600_000), signal)
  assert.deepEqual(
    deliveries
      .map(({ deliveryId, attemptId, arrived }) => [deliveryId, attemptId, arrived])
      .sort((a, b) => Number(a[1]) - Number(b[1])),
    [
      ['asked', '5', true],
      ['unheard', '7', false],
      ['again', '8', true],
      ['heard', '9', true],
    ],
  )
})

test('more deliveries than can be looked through are not passed off as all', async (t) => {
  const api = await startRawApi(t)
  const more = { link: `<${api.url}/app/hook/deliveries?per_page=100&cursor=more>; rel="next"` }
  const page = list([item('9')], more)
  api.on('GET /app/hook/deliveries?per_page=100', page)
  api.on('GET /app/hook/deliveries?per_page=100&cursor=more', page)
  const log = createGitHubDeliveryLog({ client: appClient(api.url), repositories: [] })
  await assert.rejects(log.sentSince(threeDaysAgo(), signal), { code: 'GITHUB_DELIVERIES_TOO_MANY' })
})

test('an App without a webhook has failed at nothing', async (t) => {
  const api = await startRawApi(t)
  const log = createGitHubDeliveryLog({ client: appClient(api.url), repositories: [] })
  assert.deepEqual(await log.failedSince(threeDaysAgo(), signal), { deliveries: [], unread: [] })
  const withToken = createGitHubDeliveryLog({ client: tokenClient(api.url), repositories: ['a/b'] })
  assert.equal((await withToken.failedSince(threeDaysAgo(), signal)).unread.length, 1)
})
