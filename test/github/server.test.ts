import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, type TestContext, test } from 'node:test'
import { call, jwt } from './call.ts'
import { githubDescription, startGitHub } from './server.ts'

const skip = await githubDescription()

const BEFORE = 'one\ntwo\nthree\n'
const AFTER = 'one\nTWO\nthree\n'

async function startShop(t: TestContext) {
  const github = await startGitHub(t)
  const shop = github.createRepository('octo/shop', { files: { 'a.txt': BEFORE } })
  shop.commit('feature', { 'a.txt': AFTER })
  const pull = shop.openPullRequest({ head: 'feature', author: 'mona' })
  shop.setPermission('mona', 'write')
  const token = github.createInstallationToken('octo')
  return { github, shop, pull, token }
}

describe('what does not agree with the description', { skip }, () => {
  const wrong = {
    'an unknown property of a body': ['POST /repos/octo/shop/pulls/1/reviews', { bodi: 'x' }, /bodi/],
    'an unknown property of a comment': [
      'POST /repos/octo/shop/pulls/1/reviews',
      { comments: [{ path: 'a', body: 'b', lines: 1 }] },
      /lines/,
    ],
    'a value of another type': ['POST /repos/octo/shop/issues/1/comments', { body: 7 }, /must be string/],
    'a value that GitHub does not know': [
      'POST /repos/octo/shop/pulls/1/reviews',
      { event: 'SHRUG' },
      /allowed values/,
    ],
    'a missing property': ['POST /repos/octo/shop/check-runs', { name: 'x' }, /head_sha/],
    'an unknown parameter': ['GET /repos/octo/shop/pulls?perpage=1', undefined, /perpage/],
    'a parameter of another type': ['GET /repos/octo/shop/pulls/first', undefined, /must be integer/],
    'a path that GitHub does not have': [
      'GET /repos/octo/shop/pulls/1/coments',
      undefined,
      /no such operation/,
    ],
    'a path that is not served here': ['GET /repos/octo/shop/forks', undefined, /not served/],
    'more than 50 annotations': [
      'PATCH /repos/octo/shop/check-runs/1',
      {
        output: {
          summary: 's',
          annotations: Array(51).fill({
            path: 'a',
            start_line: 1,
            end_line: 1,
            annotation_level: 'notice',
            message: 'm',
          }),
        },
      },
      /50 items/,
    ],
    'a field that GraphQL does not have': ['POST /graphql', { query: '{ viewer { logon } }' }, /logon/],
    'an argument that GraphQL needs': [
      'POST /graphql',
      { query: '{ repository(owner: "a") { id } }' },
      /name/,
    ],
  } as const

  for (const [what, [request, body, message]] of Object.entries(wrong)) {
    test(`${what} is a violation, answered 500`, async (t) => {
      const { github, token } = await startShop(t)
      const { status } = await call(github, token, request, body)
      assert.equal(status, 500)
      const [violation, ...more] = github.takeViolations()
      assert.match(violation?.message ?? '', message)
      assert.equal(violation?.where, 'request')
      assert.deepEqual(more, [])
    })
  }

  test('every list and object that is served agrees with it', async (t) => {
    const { github, shop, pull, token } = await startShop(t)
    const hook = await call(github, github.createToken('octo'), 'POST /repos/octo/shop/hooks', {
      config: { url: 'http://127.0.0.1:1/', content_type: 'json' },
    })
    const comment = pull.comment('mona', 'Hello')
    const remark = pull.commentOn('mona', { path: 'a.txt', line: 2 }, 'Why?')
    const [review] = pull.reviews()
    const run = await call(github, token, 'POST /repos/octo/shop/check-runs', {
      name: 'x',
      head_sha: pull.head(),
    })
    await github.webhooks.settled()
    const asToken = [
      '/repos/octo/shop',
      '/repos/octo/shop/branches/main',
      `/repos/octo/shop/commits/${pull.head()}`,
      '/repos/octo/shop/compare/main...feature',
      '/repos/octo/shop/collaborators/mona/permission',
      '/repos/octo/shop/collaborators/octo/permission',
      '/repos/octo/shop/pulls?state=all&sort=updated&direction=desc',
      '/repos/octo/shop/pulls/1',
      '/repos/octo/shop/pulls/1/files',
      '/repos/octo/shop/pulls/1/reviews',
      `/repos/octo/shop/pulls/1/reviews/${review.id}`,
      `/repos/octo/shop/pulls/1/reviews/${review.id}/comments`,
      '/repos/octo/shop/pulls/1/comments',
      '/repos/octo/shop/pulls/comments?since=2020-01-01T00:00:00Z',
      `/repos/octo/shop/pulls/comments/${remark.id}`,
      `/repos/octo/shop/pulls/comments/${remark.id}/reactions`,
      '/repos/octo/shop/issues/1/comments',
      '/repos/octo/shop/issues/comments?sort=updated&since=2020-01-01T00:00:00Z',
      `/repos/octo/shop/issues/comments/${comment.id}`,
      `/repos/octo/shop/issues/comments/${comment.id}/reactions`,
      `/repos/octo/shop/check-runs/${run.body.id}`,
      `/repos/octo/shop/check-runs/${run.body.id}/annotations`,
      `/repos/octo/shop/commits/${pull.head()}/check-runs`,
      '/installation/repositories',
      '/users/mona',
      '/rate_limit',
    ]
    const asApp = [
      '/app',
      '/app/installations',
      '/app/hook/config',
      '/app/hook/deliveries',
      `/app/hook/deliveries/${github.webhooks.deliveries[0]?.id}`,
      '/repos/octo/shop/installation',
    ]
    const asOwner = [
      '/user',
      '/user/repos',
      '/repos/octo/shop/hooks',
      `/repos/octo/shop/hooks/${hook.body.id}`,
      `/repos/octo/shop/hooks/${hook.body.id}/config`,
      `/repos/octo/shop/hooks/${hook.body.id}/deliveries`,
    ]
    const all = [
      ...asToken.map((path) => [token, path] as const),
      ...asApp.map((path) => [jwt(github), path] as const),
      ...asOwner.map((path) => [github.createToken('octo'), path] as const),
    ]
    for (const [credentials, path] of all) {
      const { status, body } = await call(github, credentials, `GET ${path}`)
      assert.equal(status, 200, `${path}: ${JSON.stringify(body)}`)
    }
    assert.equal(shop.checkRuns(pull.head()).length, 1)
  })
})

describe('the App', { skip }, () => {
  test('is known by its JWT, and only by a good one', async (t) => {
    const { github } = await startShop(t)
    const now = Math.floor(Date.now() / 1000)
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const foreign = other.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()
    const cases: [string, number, RegExp][] = [
      [jwt(github), 200, /kodus/],
      [jwt(github, { iss: github.app.clientId }), 200, /kodus/],
      [jwt(github, { iss: 1 }), 401, /Integration not found/],
      [jwt(github, { exp: now - 1 }), 401, /future time/],
      [jwt(github, { exp: now + 700 }), 401, /too far in the future/],
      [jwt(github, { iat: now + 120 }), 401, /Issued at/],
      [jwt(github, {}, foreign), 401, /could not be decoded/],
    ]
    for (const [token, status, message] of cases) {
      const answer = await call(github, token, 'GET /app')
      assert.equal(answer.status, status)
      assert.match(JSON.stringify(answer.body), message)
    }
  })

  test('gets installation tokens, which end after an hour, or when it is uninstalled', async (t) => {
    const { github } = await startShop(t)
    const { body: installation } = await call(github, jwt(github), 'GET /repos/octo/shop/installation')
    const create = `POST /app/installations/${installation.id}/access_tokens`
    const { status, body } = await call(github, jwt(github), create)
    assert.equal(status, 201)
    const read = () => call(github, body.token, 'GET /repos/octo/shop/pulls/1')
    assert.equal((await read()).status, 200)
    github.clock.advance(3_600_001)
    assert.equal((await read()).status, 401)

    const fresh = await call(github, jwt(github), create)
    github.uninstallApp('octo')
    assert.equal((await call(github, fresh.body.token, 'GET /repos/octo/shop')).status, 401)
    assert.equal((await call(github, jwt(github), create)).status, 404)
    assert.equal((await call(github, jwt(github), 'GET /repos/octo/shop/installation')).status, 404)
  })

  test('may do what it has the permission for, and is told which one it lacks', async (t) => {
    const { github, token, pull } = await startShop(t)
    delete github.app.permissions.checks
    const checks = await call(github, token, 'POST /repos/octo/shop/check-runs', {
      name: 'x',
      head_sha: pull.head(),
    })
    assert.equal(checks.status, 403)
    assert.equal(checks.body.message, 'Resource not accessible by integration')
    assert.equal(checks.headers.get('x-accepted-github-permissions'), 'checks=write')

    github.app.permissions.pull_requests = 'read'
    assert.equal((await call(github, token, 'GET /repos/octo/shop/pulls/1')).status, 200)
    assert.equal((await call(github, token, 'POST /repos/octo/shop/pulls/1/reviews', {})).status, 403)
  })

  test('cannot see a private repository that it is not installed on', async (t) => {
    const { github, token } = await startShop(t)
    github.createRepository('octo/secret', { installed: false })
    github.createRepository('other/secret')
    for (const name of ['octo/secret', 'other/secret', 'octo/none']) {
      assert.equal((await call(github, token, `GET /repos/${name}`)).status, 404, name)
    }
  })

  test('posts as its bot, and says so', async (t) => {
    const { github, token } = await startShop(t)
    const { body } = await call(github, token, 'POST /repos/octo/shop/issues/1/comments', { body: 'Hi' })
    assert.deepEqual([body.user.login, body.user.type], ['kodus[bot]', 'Bot'])
    assert.equal(body.performed_via_github_app.id, github.app.id)
  })

  test('is made of a manifest by a code that works once', async (t) => {
    const { github } = await startShop(t)
    const code = github.createManifestCode({ name: 'ours', default_permissions: { checks: 'write' } })
    const { status, body } = await call(github, undefined, `POST /app-manifests/${code}/conversions`)
    assert.equal(status, 201)
    assert.equal(body.name, 'ours')
    assert.match(body.pem, /BEGIN RSA PRIVATE KEY/)
    assert.equal((await call(github, undefined, `POST /app-manifests/${code}/conversions`)).status, 404)
  })
})

describe('a personal token', { skip }, () => {
  test('acts as its account, where that may look', async (t) => {
    const { github } = await startShop(t)
    const [mona, stranger] = [github.createToken('mona'), github.createToken('stranger')]
    const { body } = await call(github, mona, 'POST /repos/octo/shop/issues/1/comments', { body: 'Hi' })
    assert.equal(body.user.login, 'mona')
    assert.equal(body.performed_via_github_app, null)
    assert.equal((await call(github, stranger, 'GET /repos/octo/shop/pulls/1')).status, 404)
    assert.equal((await call(github, undefined, 'GET /repos/octo/shop/pulls/1')).status, 404)
    assert.equal((await call(github, 'ghp_wrong', 'GET /repos/octo/shop/pulls/1')).status, 401)
  })

  test('cannot write checks, which are for Apps', async (t) => {
    const { github, pull } = await startShop(t)
    const body = { name: 'x', head_sha: pull.head() }
    const answer = await call(github, github.createToken('mona'), 'POST /repos/octo/shop/check-runs', body)
    assert.deepEqual([answer.status, answer.body.message], [403, 'You must authenticate via a GitHub App.'])
  })

  test('tells of permissions, where it may push itself', async (t) => {
    const { github, shop, token } = await startShop(t)
    shop.setPermission('reader', 'triage')
    const ask = (as: string, of: string) =>
      call(github, as, `GET /repos/octo/shop/collaborators/${of}/permission`)
    assert.equal((await ask(github.createToken('reader'), 'mona')).status, 403)
    const { body } = await ask(github.createToken('mona'), 'reader')
    assert.deepEqual([body.permission, body.role_name], ['read', 'triage'])
    assert.equal((await ask(token, 'mona')).body.permission, 'write')
    assert.equal((await ask(token, 'nobody-at-all')).status, 404)
  })
})

describe('limits', { skip }, () => {
  test('count each request but those answered 304', async (t) => {
    const { github, token } = await startShop(t)
    const first = await call(github, token, 'GET /repos/octo/shop/pulls/1')
    const etag = first.headers.get('etag') ?? assert.fail('no ETag')
    const before = Number(first.headers.get('x-ratelimit-remaining'))
    const again = await call(github, token, 'GET /repos/octo/shop/pulls/1', undefined, {
      'if-none-match': etag,
    })
    assert.equal(again.status, 304)
    assert.equal(Number(again.headers.get('x-ratelimit-remaining')), before)
    github.repository('octo/shop').pullRequest(1).edit({ title: 'Another' })
    const changed = await call(github, token, 'GET /repos/octo/shop/pulls/1', undefined, {
      'if-none-match': etag,
    })
    assert.equal(changed.status, 200)
    assert.equal(github.limits.counted(), 2)
  })

  test('refuse everything when they are used up, until they are full again', async (t) => {
    const { github, token } = await startShop(t)
    github.limits.setPrimary(1, 60)
    assert.equal((await call(github, token, 'GET /repos/octo/shop')).status, 200)
    const { status, body, headers } = await call(github, token, 'GET /repos/octo/shop')
    assert.equal(status, 403)
    assert.match(body.message, /API rate limit exceeded/)
    assert.equal(headers.get('x-ratelimit-remaining'), '0')
    const wait = Number(headers.get('x-ratelimit-reset')) * 1000 - github.clock.now().getTime()
    assert.ok(wait > 0 && wait <= 60_000, `${wait} ms`)
    assert.equal((await call(github, token, 'GET /rate_limit')).status, 200, 'this one is free')
    github.clock.advance(60_000)
    assert.equal((await call(github, token, 'GET /repos/octo/shop')).status, 200)
  })
})

test('a list comes in pages of at most 100, with links to the others', { skip }, async (t) => {
  const { github, pull, token } = await startShop(t)
  for (let count = 0; count < 105; count += 1) pull.comment('mona', `Comment ${count}`)
  const { body, headers } = await call(github, token, 'GET /repos/octo/shop/issues/1/comments?per_page=100')
  assert.equal(body.length, 100)
  const [, next = ''] = /<([^>]+)>; rel="next"/.exec(headers.get('link') ?? '') ?? []
  const rest = await call(github, token, `GET ${next.slice(github.apiUrl.length)}`)
  assert.equal(rest.body.length, 5)
  assert.doesNotMatch(rest.headers.get('link') ?? '', /rel="next"/)
  assert.equal(
    (await call(github, token, 'GET /repos/octo/shop/issues/1/comments?per_page=500')).body.length,
    100,
  )
})

test('a text of more than 65,536 characters is refused', { skip }, async (t) => {
  const { github, token } = await startShop(t)
  const post = (body: string) => call(github, token, 'POST /repos/octo/shop/issues/1/comments', { body })
  assert.equal((await post('x'.repeat(65_536))).status, 201)
  assert.equal((await post('x'.repeat(65_537))).status, 422)
  assert.equal((await post(' ')).status, 422)
})

test('a stopped clock stamps everything with the same second', { skip }, async (t) => {
  const { github, pull } = await startShop(t)
  github.clock.freeze('2026-03-01T10:00:00.900Z')
  pull.push({ 'a.txt': 'x\n' })
  assert.equal(pull.show().updated_at, '2026-03-01T10:00:00Z')
  github.clock.advance(1_000)
  pull.push({ 'a.txt': 'y\n' })
  assert.equal(pull.show().updated_at, '2026-03-01T10:00:01Z')
})

describe('check runs', { skip }, () => {
  const annotation = {
    path: 'a.txt',
    start_line: 2,
    end_line: 2,
    annotation_level: 'warning',
    message: 'Look',
  }

  test('are made for commits that exist', async (t) => {
    const { github, token } = await startShop(t)
    for (const head_sha of ['0'.repeat(40), 'feature']) {
      const body = { name: 'x', head_sha }
      assert.equal(
        (await call(github, token, 'POST /repos/octo/shop/check-runs', body)).status,
        422,
        head_sha,
      )
    }
  })

  test('gather annotations over their updates, and are complete by a conclusion', async (t) => {
    const { github, shop, pull, token } = await startShop(t)
    const output = { title: 't', summary: 's', annotations: Array(50).fill(annotation) }
    const start = {
      name: 'kodus',
      head_sha: pull.head(),
      external_id: 'job-1',
      status: 'in_progress',
      output,
    }
    const { body: run } = await call(github, token, 'POST /repos/octo/shop/check-runs', start)
    assert.deepEqual([run.status, run.conclusion, run.external_id], ['in_progress', null, 'job-1'])
    const update = { conclusion: 'neutral', output: { ...output, annotations: [annotation] } }
    await call(github, token, `PATCH /repos/octo/shop/check-runs/${run.id}`, update)
    const [shown] = shop.checkRuns(pull.head())
    assert.deepEqual([shown.status, shown.conclusion], ['completed', 'neutral'])
    assert.equal(shown.output.annotations_count, 51)
    const listed = await call(github, token, `GET /repos/octo/shop/check-runs/${run.id}/annotations?page=2`)
    assert.equal(listed.body.length, 21)
  })

  test('that are complete have a conclusion', async (t) => {
    const { github, pull, token } = await startShop(t)
    const body = { name: 'kodus', head_sha: pull.head(), status: 'completed' }
    assert.equal((await call(github, token, 'POST /repos/octo/shop/check-runs', body)).status, 422)
  })
})
