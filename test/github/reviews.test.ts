import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { call } from './call.ts'
import { type Answer, githubDescription, startGitHub } from './server.ts'

const skip = await githubDescription()

const lines = (from: number, to: number) => {
  const numbers = Array.from({ length: to - from + 1 }, (_, index) => from + index)
  return numbers.map((number) => `line ${number}\n`).join('')
}
const BASE = lines(1, 60)
/** Two hunks: around 10 (changed), and around 40 (one removed, so that lines move by one). */
const HEAD = BASE.replace('line 10\n', 'LINE 10\n').replace('line 40\n', '')

const REVIEWS = '/repos/octo/shop/pulls/1/reviews'
const COMMENTS = '/repos/octo/shop/pulls/1/comments'

async function startPull(t: TestContext) {
  const github = await startGitHub(t)
  const shop = github.createRepository('octo/shop', { files: { 'a.txt': BASE, 'same.txt': 'same\n' } })
  shop.commit('feature', { 'a.txt': HEAD })
  const pull = shop.openPullRequest({ head: 'feature', author: 'mona' })
  shop.setPermission('mona', 'write')
  const token = github.createInstallationToken('octo')
  const review = (body: object) => call(github, token, `POST ${REVIEWS}`, body)
  const at = (place: object) => review({ comments: [{ path: 'a.txt', body: 'Hm', ...place }] })
  return { github, shop, pull, token, review, at }
}

describe('a comment', { skip }, () => {
  const GOOD = {
    'on a changed line': { line: 10 },
    'on a line around it': { line: 7, side: 'RIGHT' },
    'on a removed line': { line: 40, side: 'LEFT' },
    'on lines of one hunk': { start_line: 8, line: 12 },
    'on a removed line up to one after it': { start_line: 40, start_side: 'LEFT', line: 41, side: 'RIGHT' },
    'at a position': { position: 4 },
  }
  for (const [what, place] of Object.entries(GOOD)) {
    test(`${what} is taken`, async (t) => {
      const { at } = await startPull(t)
      const { status, body } = await at(place)
      assert.equal(status, 200, JSON.stringify(body))
    })
  }

  const BAD: Record<string, [object, string]> = {
    'on a line outside the diff': [{ line: 25 }, 'Line could not be resolved'],
    'on the other side': [{ line: 44, side: 'RIGHT' }, 'Line could not be resolved'],
    'on no line': [{}, 'Line could not be resolved'],
    'on an unchanged file': [{ path: 'same.txt', line: 1 }, 'Path could not be resolved'],
    'on lines of two hunks': [
      { start_line: 10, line: 40 },
      'Start line must be part of the same hunk as the line',
    ],
    'that ends before it starts': [{ start_line: 12, line: 8 }, 'Start line must precede the end line'],
    'that starts where it ends': [{ start_line: 8, line: 8 }, 'Start line must precede the end line'],
  }
  for (const [what, [place, message]] of Object.entries(BAD)) {
    test(`${what} is refused, and the whole review with it`, async (t) => {
      const { review, pull } = await startPull(t)
      const good = { path: 'a.txt', line: 10, body: 'Fine' }
      const { status, body } = await review({ comments: [good, { path: 'a.txt', body: 'Hm', ...place }] })
      assert.equal(status, 422)
      assert.deepEqual([body.message, body.errors], ['Unprocessable Entity', [message]])
      assert.deepEqual(pull.reviews(), [])
    })
  }

  test('alone is refused in other words', async (t) => {
    const { github, token, pull } = await startPull(t)
    const place = { path: 'a.txt', line: 25, commit_id: pull.head(), body: 'Hm' }
    const { status, body } = await call(github, token, `POST ${COMMENTS}`, place)
    assert.equal(status, 422)
    assert.equal(body.errors[0].message, 'pull_request_review_thread.line must be part of the diff')
  })

  test('follows its line through pushes, until the line itself changes', async (t) => {
    const { at, pull, token, github } = await startPull(t)
    const { body } = await at({ line: 10 })
    await call(github, token, `POST ${REVIEWS}/${body.id}/events`, { event: 'COMMENT' })
    pull.push({ 'a.txt': `first\n${HEAD}` })
    const [moved] = pull.reviewComments()
    assert.deepEqual([moved.line, moved.original_line], [11, 10])
    pull.push({ 'a.txt': HEAD.replace('LINE 10', 'LINE ten') })
    const [outdated] = pull.reviewComments()
    assert.deepEqual([outdated.line, outdated.position, outdated.original_line], [null, null, 10])
    assert.deepEqual(
      pull.threads().map(({ isOutdated }) => isOutdated),
      [true],
    )
  })

  test('of a review tells its position, and no line, in the list of that review', async (t) => {
    const { at, github, token } = await startPull(t)
    const { body } = await at({ line: 10 })
    const { body: listed } = await call(github, token, `GET ${REVIEWS}/${body.id}/comments`)
    assert.deepEqual([listed[0].position, 'line' in listed[0]], [5, false])
  })
})

describe('a review', { skip }, () => {
  test('that is pending is seen by its author alone, and its comments by nobody', async (t) => {
    const { at, github, token } = await startPull(t)
    const { body: review } = await at({ line: 10 })
    assert.equal(review.state, 'PENDING')
    assert.equal(review.submitted_at, undefined)
    const mona = github.createToken('mona')
    const listed = async (as: string, path: string) => (await call(github, as, `GET ${path}`)).body.length
    assert.deepEqual([await listed(token, REVIEWS), await listed(mona, REVIEWS)], [1, 0])
    assert.deepEqual([await listed(token, COMMENTS), await listed(mona, COMMENTS)], [0, 0])
    for (const request of [`GET ${REVIEWS}/${review.id}`, `DELETE ${REVIEWS}/${review.id}`]) {
      assert.equal((await call(github, mona, request)).status, 404, request)
    }
    const own = await call(github, token, `GET ${REVIEWS}/${review.id}/comments`)
    assert.equal(own.body.length, 1)

    await call(github, token, `POST ${REVIEWS}/${review.id}/events`, { event: 'COMMENT', body: 'Done' })
    assert.deepEqual([await listed(mona, REVIEWS), await listed(mona, COMMENTS)], [1, 1])
  })

  test('that is pending keeps its author from another, from a comment and from a reply', async (t) => {
    const { review, pull, github, token } = await startPull(t)
    const remark = pull.commentOn('mona', { path: 'a.txt', line: 10 }, 'Mine')
    await review({ body: 'First' })
    const again = await review({ body: 'Second', event: 'COMMENT' })
    assert.equal(again.status, 422)
    assert.deepEqual(again.body.errors, ['User can only have one pending review per pull request'])
    const alone = { path: 'a.txt', line: 10, commit_id: pull.head(), body: 'Hm' }
    for (const [path, body] of [
      [COMMENTS, alone],
      [`${COMMENTS}/${remark.id}/replies`, { body: 'Hm' }],
    ] as const) {
      const { status, body: answer } = await call(github, token, `POST ${path}`, body)
      assert.equal(status, 422)
      assert.match(answer.errors[0].message, /one pending review per pull request/)
    }
    const other = await call(github, github.createToken('mona'), `POST ${REVIEWS}`, { body: 'Mine' })
    assert.equal(other.status, 200, 'each may have one')
  })

  test('is submitted once, and deleted only before', async (t) => {
    const { review, github, token } = await startPull(t)
    const { body } = await review({ body: 'First' })
    const submit = () => call(github, token, `POST ${REVIEWS}/${body.id}/events`, { event: 'COMMENT' })
    assert.equal((await submit()).body.state, 'COMMENTED')
    assert.equal((await submit()).status, 422)
    assert.equal((await call(github, token, `DELETE ${REVIEWS}/${body.id}`)).status, 422)
    const { body: second } = await review({ body: 'Second' })
    assert.equal((await call(github, token, `DELETE ${REVIEWS}/${second.id}`)).status, 200)
    assert.equal(
      (await call(github, token, `POST ${REVIEWS}/${second.id}/events`, { event: 'COMMENT' })).status,
      404,
    )
  })

  test('is of a commit of the pull request, not of one that a force-push took away', async (t) => {
    const { review, pull, shop } = await startPull(t)
    const first = pull.head()
    pull.push({ 'a.txt': `${HEAD}more\n` })
    assert.equal((await review({ commit_id: first, body: 'x', event: 'COMMENT' })).status, 200)
    pull.push({ 'a.txt': `${HEAD}other\n` }, { onto: shop.head('main') })
    assert.equal((await review({ commit_id: first, body: 'x', event: 'COMMENT' })).status, 422)
    assert.equal((await review({ commit_id: shop.head('main'), body: 'x', event: 'COMMENT' })).status, 422)
  })

  test('neither says nothing, nor approves the work of its author', async (t) => {
    const { review, github } = await startPull(t)
    assert.equal((await review({ event: 'COMMENT' })).status, 422)
    const own = await call(github, github.createToken('mona'), `POST ${REVIEWS}`, { event: 'APPROVE' })
    assert.deepEqual(own.body.errors, ['Can not approve your own pull request'])
  })
})

describe('a thread', { skip }, () => {
  const THREADS = `query Threads($first: Int) {
    viewer { login }
    repository(owner: "octo", name: "shop") { pullRequest(number: 1) { reviewThreads(first: $first) {
      pageInfo { hasNextPage endCursor }
      nodes { id isResolved isOutdated path line viewerCanResolve resolvedBy { login }
        comments(first: 10) { totalCount nodes { id fullDatabaseId body author { __typename login } replyTo { id } } } }
    } } } }`
  const RESOLVE = `mutation Resolve($id: ID!) { resolveReviewThread(input: { threadId: $id }) { thread { isResolved } } }`

  async function startThread(t: TestContext) {
    const started = await startPull(t)
    const { github, token, pull } = started
    const ask = (query: string, variables: object = {}, as = token) =>
      call(github, as, 'POST /graphql', { query, variables })
    const remark = pull.commentOn('mona', { path: 'a.txt', line: 10 }, 'Why?')
    const read = async (as = token): Promise<Answer> => {
      const { body } = await ask(THREADS, { first: 10 }, as)
      return body.data.repository.pullRequest.reviewThreads.nodes
    }
    return { ...started, ask, remark, read }
  }

  test('is read by GraphQL, where the bot has no brackets', async (t) => {
    const { github, token, remark, read, ask } = await startThread(t)
    await call(github, token, `POST ${COMMENTS}/${remark.id}/replies`, { body: 'Because' })
    const [thread] = await read()
    assert.deepEqual([thread.path, thread.line, thread.isResolved], ['a.txt', 10, false])
    const [first, reply] = thread.comments.nodes
    assert.deepEqual([first.fullDatabaseId, first.author.login], [String(remark.id), 'mona'])
    assert.deepEqual([reply.author.__typename, reply.author.login], ['Bot', 'kodus'])
    assert.deepEqual([first.id, reply.replyTo.id], [remark.node_id, remark.node_id])
    assert.equal((await ask(THREADS)).body.errors[0].type, 'MISSING_PAGINATION_BOUNDARIES')
    assert.equal((await ask(THREADS, { first: 101 })).body.errors[0].type, 'EXCESSIVE_PAGINATION')
  })

  test('is resolved by an App only with the permission to write contents', async (t) => {
    const { github, read, ask, pull } = await startThread(t)
    const [{ id, viewerCanResolve }] = await read()
    assert.equal(viewerCanResolve, false)
    const refused = await ask(RESOLVE, { id })
    assert.deepEqual([refused.status, refused.body.data.resolveReviewThread], [200, null])
    assert.equal(refused.body.errors[0].type, 'FORBIDDEN')
    github.app.permissions.contents = 'write'
    assert.equal((await ask(RESOLVE, { id })).body.data.resolveReviewThread.thread.isResolved, true)
    assert.equal(pull.threads()[0]?.isResolved, true)
    assert.equal((await read())[0].resolvedBy.login, 'kodus')
  })

  test('is resolved by who wrote the change or may write, and by nobody else', async (t) => {
    const { github, shop, read, ask } = await startThread(t)
    const [{ id }] = await read()
    shop.setPermission('reader', 'read')
    assert.equal((await ask(RESOLVE, { id }, github.createToken('reader'))).body.errors[0].type, 'FORBIDDEN')
    assert.equal(
      (await ask(RESOLVE, { id }, github.createToken('stranger'))).body.errors[0].type,
      'NOT_FOUND',
    )
    const resolved = await ask(RESOLVE, { id }, github.createToken('mona'))
    assert.equal(resolved.body.data.resolveReviewThread.thread.isResolved, true)
  })
})
