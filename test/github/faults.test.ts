import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { call } from './call.ts'
import { githubDescription, startGitHub } from './server.ts'

const skip = await githubDescription()

const COMMENT = 'POST /repos/octo/shop/issues/1/comments'

async function start(t: TestContext) {
  const github = await startGitHub(t)
  const shop = github.createRepository('octo/shop', { files: { 'a.txt': 'one\n' } })
  shop.commit('feature', { 'a.txt': 'two\n' })
  const pull = shop.openPullRequest({ head: 'feature', author: 'mona' })
  const token = github.createInstallationToken('octo')
  const comment = () => call(github, token, COMMENT, { body: 'Hi' })
  return { github, pull, token, comment }
}

const onComments = { method: 'POST', path: /\/issues\/1\/comments$/ }

describe('a fault', { skip }, () => {
  test('keeps a request from being done, so often and no more', async (t) => {
    const { github, pull, token, comment } = await start(t)
    const fault = github.fail({ ...onComments, times: 2, with: { status: 503 } })
    assert.equal((await call(github, token, 'GET /repos/octo/shop/issues/1/comments')).status, 200)
    assert.deepEqual([(await comment()).status, (await comment()).status], [503, 503])
    assert.equal(pull.comments().length, 0)
    assert.equal((await comment()).status, 201)
    assert.equal(fault.happened(), 2)
  })

  test('comes after it was done', async (t) => {
    const { github, pull, comment } = await start(t)
    github.fail({ ...onComments, with: { statusAfter: 502 } })
    assert.equal((await comment()).status, 502)
    assert.equal(pull.comments().length, 1)
  })

  test('cuts the connection before, after, and in the middle', async (t) => {
    const { github, pull, comment } = await start(t)
    for (const [cut, comments] of [
      ['before', 0],
      ['after', 1],
      ['body', 2],
    ] as const) {
      github.fail({ ...onComments, with: { cut } })
      await assert.rejects(comment(), TypeError)
      assert.equal(pull.comments().length, comments, cut)
    }
  })

  test('is a limit, with the headers that say how long', async (t) => {
    const { github, comment } = await start(t)
    github.fail({ ...onComments, with: { primaryLimit: { resetInSeconds: 90 } } })
    const primary = await comment()
    assert.deepEqual([primary.status, primary.headers.get('x-ratelimit-remaining')], [403, '0'])
    const wait = Number(primary.headers.get('x-ratelimit-reset')) * 1000 - Date.now()
    assert.ok(wait > 60_000 && wait <= 90_000, `${wait} ms`)
    github.fail({ ...onComments, with: { secondaryLimit: { status: 429, retryAfter: 7 } } })
    const secondary = await comment()
    assert.deepEqual([secondary.status, secondary.headers.get('retry-after')], [429, '7'])
    assert.match(secondary.body.message, /secondary rate limit/)
    github.fail({ ...onComments, with: { secondaryLimit: {} } })
    const unsaid = await comment()
    assert.deepEqual([unsaid.status, unsaid.headers.get('retry-after')], [403, null])
  })

  test('is a missing permission, or a position that is refused until all is well again', async (t) => {
    const { github, token, comment } = await start(t)
    github.fail({ ...onComments, with: { permission: 'issues=write' } })
    const refused = await comment()
    assert.deepEqual(
      [refused.status, refused.headers.get('x-accepted-github-permissions')],
      [403, 'issues=write'],
    )
    github.fail({ with: { unresolvable: { path: 'a.txt', line: 1 } } })
    const review = () =>
      call(github, token, 'POST /repos/octo/shop/pulls/1/reviews', {
        comments: [{ path: 'a.txt', line: 1, body: 'x' }],
      })
    assert.deepEqual([(await review()).status, (await review()).status], [422, 422])
    github.recover()
    assert.equal((await review()).status, 200)
  })

  test('holds a request until it is let go', async (t) => {
    const { github, pull, comment } = await start(t)
    for (const [hold, done] of [
      ['before', 0],
      ['after', 2],
    ] as const) {
      const fault = github.fail({ ...onComments, with: { hold } })
      const reached = fault.next()
      const answer = comment()
      await reached
      if (hold === 'after') await untilCommented(2)
      assert.equal(pull.comments().length, done, hold)
      fault.release()
      assert.equal((await answer).status, 201)
    }

    async function untilCommented(count: number) {
      while (pull.comments().length < count) await new Promise((resolve) => setImmediate(resolve))
    }
  })

  test('is chosen by the name of a GraphQL operation', async (t) => {
    const { github, token } = await start(t)
    github.fail({ operation: 'Who', with: { graphqlErrors: [{ type: 'INTERNAL', message: 'Oops' }] } })
    const ask = (query: string) => call(github, token, 'POST /graphql', { query })
    assert.equal((await ask('query Other { viewer { login } }')).body.errors, undefined)
    assert.deepEqual((await ask('query Who { viewer { login } }')).body, {
      data: null,
      errors: [{ type: 'INTERNAL', message: 'Oops' }],
    })
    github.fail({ operation: 'viewer', with: { status: 502 } })
    assert.equal((await ask('{ viewer { login } }')).status, 502)
  })
})
