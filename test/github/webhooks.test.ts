import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, type TestContext, test } from 'node:test'
import { call, jwt } from './call.ts'
import { type Answer, githubDescription, startGitHub } from './server.ts'

const skip = await githubDescription()

interface Received {
  headers: IncomingHttpHeaders
  raw: string
  payload: Answer
}

async function startReceiver(t: TestContext) {
  const received: Received[] = []
  const answers: number[] = []
  const server = createServer(async (request, response) => {
    const raw = await text(request)
    received.push({ headers: request.headers, raw, payload: JSON.parse(raw) })
    response.writeHead(answers.shift() ?? 202).end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/github`
  const events = () =>
    received.map(({ headers, payload }) => [headers['x-github-event'], payload.action].join(' ').trim())
  return { url, received, answers, events }
}

async function start(t: TestContext) {
  const github = await startGitHub(t)
  const receiver = await startReceiver(t)
  github.webhooks.deliverTo(receiver.url)
  const shop = github.createRepository('octo/shop', { files: { 'a.txt': 'one\n' } })
  shop.commit('feature', { 'a.txt': 'two\n' })
  const open = () => shop.openPullRequest({ head: 'feature', author: 'mona', title: 'Sell more' })
  return { github, shop, open, ...receiver }
}

interface Examples {
  name: string
  examples: Answer[]
}

const EXAMPLES: Examples[] = createRequire(import.meta.url)('@octokit/webhooks-examples')

/** Parts that GitHub sends to some and not to others, or no longer. */
const OPTIONAL =
  /^(organization|enterprise|repository\.custom_properties|.*\.active_lock_reason|issue\.(performed_via_github_app|timeline_url|state_reason|sub_issues_summary|issue_dependencies_summary))$/

describe('webhooks', { skip }, () => {
  test("have all that GitHub's own examples have", async (t) => {
    const { github, open, received } = await start(t)
    const pull = open()
    pull.comment('mona', 'Hello')
    pull.commentOn('mona', { path: 'a.txt', line: 1 }, 'Hm')
    pull.close()
    await github.webhooks.settled()
    for (const { headers, payload } of received) {
      const event = String(headers['x-github-event'])
      const examples = EXAMPLES.find(({ name }) => name === event)?.examples ?? []
      const example = examples.find(({ action }) => action === payload.action)
      assert.ok(example, `${event}.${payload.action}`)
      const lacking = Object.keys(example).flatMap((part) => {
        const names =
          typeof example[part] === 'object' && example[part] !== null ? Object.keys(example[part]) : []
        if (payload[part] === undefined) return [part]
        return names.filter((name) => payload[part][name] === undefined).map((name) => `${part}.${name}`)
      })
      assert.deepEqual(
        lacking.filter((name) => !OPTIONAL.test(name)),
        [],
        `${event}.${payload.action}`,
      )
    }
  })

  test('tell of all that happens to a pull request, in order', async (t) => {
    const { github, shop, open, events, received } = await start(t)
    const pull = open()
    const before = pull.head()
    const after = pull.push({ 'a.txt': 'three\n' })
    pull.convertToDraft()
    pull.markReady()
    pull.edit({ title: 'Sell less' })
    pull.comment('mona', '@kody review')
    const remark = pull.commentOn('mona', { path: 'a.txt', line: 1 }, 'Hm')
    pull.reply('hubot', remark.id, 'So?')
    pull.close()
    pull.reopen()
    const merge = pull.merge()
    await github.webhooks.ping()
    await github.webhooks.settled()
    assert.deepEqual(events(), [
      'pull_request opened',
      'pull_request synchronize',
      'pull_request converted_to_draft',
      'pull_request ready_for_review',
      'pull_request edited',
      'issue_comment created',
      'pull_request_review submitted',
      'pull_request_review_comment created',
      'pull_request_review submitted',
      'pull_request_review_comment created',
      'pull_request closed',
      'pull_request reopened',
      'pull_request closed',
      'ping',
    ])
    const [opened, pushed, , , edited, commented, , remarked, , replied, , , merged] = received
    assert.equal(opened?.payload.pull_request.head.sha, before)
    assert.equal(opened?.payload.installation.id > 0, true)
    assert.deepEqual([pushed?.payload.before, pushed?.payload.after], [before, after])
    assert.equal(edited?.payload.changes.title.from, 'Sell more')
    assert.equal(commented?.payload.issue.pull_request.url.endsWith('/pulls/1'), true)
    assert.equal(replied?.payload.comment.in_reply_to_id, remarked?.payload.comment.id)
    assert.equal(replied?.payload.sender.login, 'hubot')
    assert.equal(merged?.payload.pull_request.merged, true)
    assert.equal(shop.head('main'), merge)
  })

  test('are signed', async (t) => {
    const { github, open, received } = await start(t)
    open()
    await github.webhooks.settled()
    const [{ headers, raw } = assert.fail('nothing came')] = received
    const mac = createHmac('sha256', github.app.webhookSecret).update(raw).digest('hex')
    assert.equal(headers['x-hub-signature-256'], `sha256=${mac}`)
    assert.equal(headers['x-github-hook-installation-target-type'], 'integration')
  })

  test('are held, sent in any order, or lost', async (t) => {
    const { github, open, events } = await start(t)
    github.webhooks.hold()
    const pull = open()
    pull.push({ 'a.txt': 'three\n' })
    pull.close()
    pull.reopen()
    const [opened, pushed, closed] = github.webhooks.held().map(({ guid }) => guid)
    assert.ok(opened && pushed && closed)
    await github.webhooks.release([pushed, opened])
    github.webhooks.drop([closed])
    await github.webhooks.resume()
    assert.deepEqual(
      events(),
      ['synchronize', 'opened', 'reopened'].map((action) => `pull_request ${action}`),
    )
    assert.equal(github.webhooks.deliveries.find(({ guid }) => guid === closed)?.statusCode, 502)
  })

  test('that failed are listed, page by page, and sent again with the same GUID', async (t) => {
    const { github, open, answers, received } = await start(t)
    answers.push(503)
    const pull = open()
    pull.push({ 'a.txt': 'three\n' })
    pull.close()
    await github.webhooks.settled()

    const seen: Answer[] = []
    let path = '/app/hook/deliveries?per_page=2'
    while (path) {
      const { body, headers } = await call(github, jwt(github), `GET ${path}`)
      seen.push(...body)
      const [, next = ''] = /<([^>]+)>; rel="next"/.exec(headers.get('link') ?? '') ?? []
      path = next.slice(github.apiUrl.length)
    }
    assert.deepEqual(
      seen.map(({ action, status_code }) => [action, status_code]),
      [
        ['closed', 202],
        ['synchronize', 202],
        ['opened', 503],
      ],
    )
    const { body: failed } = await call(github, jwt(github), 'GET /app/hook/deliveries?status=failure')
    assert.deepEqual(
      failed.map(({ guid }: Answer) => guid),
      [seen[2].guid],
    )
    const again = await call(github, jwt(github), `POST /app/hook/deliveries/${seen[2].id}/attempts`)
    assert.equal(again.status, 202)
    await github.webhooks.settled()
    assert.equal(received.length, 4)
    assert.equal(received[3]?.headers['x-github-delivery'], received[0]?.headers['x-github-delivery'])
    assert.equal(received[3]?.raw, received[0]?.raw)
    const { body: newest } = await call(github, jwt(github), 'GET /app/hook/deliveries?per_page=1')
    assert.deepEqual([newest[0].redelivery, newest[0].status_code], [true, 202])
    const detail = await call(github, jwt(github), `GET /app/hook/deliveries/${newest[0].id}`)
    assert.equal(detail.body.request.payload.action, 'opened')

    github.clock.advance(3 * 24 * 3_600_000 + 1_000)
    assert.deepEqual((await call(github, jwt(github), 'GET /app/hook/deliveries')).body, [])
  })

  test('of a repository go to its own hook, with its own secret and log', async (t) => {
    const { github, shop, open, received, url } = await start(t)
    github.webhooks.deliverTo(undefined)
    shop.setPermission('mona', 'write')
    const config = { url, secret: 'of the hook', content_type: 'json' }
    const hook = { config, events: ['pull_request'], active: true }
    const asMona = await call(github, github.createToken('mona'), 'POST /repos/octo/shop/hooks', hook)
    assert.equal(asMona.status, 403, 'hooks are for admins')
    const owner = github.createToken('octo')
    const { status, body } = await call(github, owner, 'POST /repos/octo/shop/hooks', hook)
    assert.equal(status, 201)
    assert.equal(body.config.secret, '********')
    open().comment('mona', 'Nobody asked for this')
    await github.webhooks.settled()
    assert.deepEqual(
      received.map(({ headers }) => headers['x-github-event']),
      ['ping', 'pull_request'],
    )
    const mac = createHmac('sha256', 'of the hook')
      .update(received[1]?.raw ?? '')
      .digest('hex')
    assert.equal(received[1]?.headers['x-hub-signature-256'], `sha256=${mac}`)
    const log = await call(github, owner, `GET /repos/octo/shop/hooks/${body.id}/deliveries`)
    const { id } = log.body[0]
    const again = await call(
      github,
      owner,
      `POST /repos/octo/shop/hooks/${body.id}/deliveries/${id}/attempts`,
    )
    assert.equal(again.status, 202)
    await github.webhooks.settled()
    assert.equal(received.length, 3)
    assert.equal(
      (await call(github, owner, 'POST /repos/octo/shop/hooks', hook)).status,
      422,
      'it is there already',
    )
  })
})
