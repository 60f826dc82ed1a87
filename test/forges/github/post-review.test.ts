import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { KodusError } from '../../../src/lib/errors.ts'
import { githubDescription } from '../../github/description.ts'
import type { GitHub } from '../../github/server.ts'
import type { Fault } from '../../github/types.ts'
import { comment, reviewOf, startPosting } from './posting.ts'

const skip = await githubDescription()

const CREATE = { method: 'POST', path: /\/reviews$/ }
const SUBMIT = { method: 'POST', path: /\/events$/ }

/** What is there to see: reviews, their comments' first lines of text, and comments of the conversation. */
function visible({ pull }: { pull: Awaited<ReturnType<typeof startPosting>>['pull'] }) {
  return {
    reviews: pull.reviews().map(({ state }) => state),
    comments: pull
      .reviewComments()
      .map(({ path, line, body }) => `${path}:${line} ${body.split('\n')[1]}`)
      .sort(),
    conversation: pull.comments().map(({ body }) => body.split('\n')[1]),
  }
}

const POSTED = {
  reviews: ['COMMENTED'],
  comments: ['cart.ts:3 Body of f1.', 'cart.ts:40 Body of f2.'],
  conversation: ['Reviewed 2 files.'],
}

async function code(work: Promise<unknown>): Promise<{ code: string; retryability: string }> {
  try {
    await work
  } catch (error) {
    if (error instanceof KodusError) return { code: error.code, retryability: error.retryability }
    throw error
  }
  throw new Error('it did not fail')
}

describe('a review', { skip }, () => {
  test('is posted with its comments, in one review, with one summary', async (t) => {
    const { post, pull } = await startPosting(t)
    const posted = await post(reviewOf(pull))

    const [review] = pull.reviews()
    assert.deepEqual(posted, { url: review.html_url, adopted: false, unplaced: 0 })
    assert.deepEqual(visible({ pull }), POSTED)
    assert.equal(review.commit_id, pull.head())
    assert.match(review.body, /^<!-- kodus:review:\S+ -->\nTwo findings\.$/)
  })

  test('is posted once, however often it is tried', async (t) => {
    const { post, pull } = await startPosting(t)
    const first = await post(reviewOf(pull))
    assert.deepEqual(await post(reviewOf(pull)), { ...first, adopted: true })
    assert.deepEqual(visible({ pull }), POSTED)
  })

  test('without comments is the summary alone', async (t) => {
    const { post, pull } = await startPosting(t)
    const posted = await post(reviewOf(pull, { comments: [] }))
    assert.deepEqual(visible({ pull }), { ...POSTED, reviews: [], comments: [] })
    assert.deepEqual(posted, { url: pull.comments()[0].html_url, adopted: false, unplaced: 0 })
  })

  test('of another run is another review', async (t) => {
    const { post, pull } = await startPosting(t)
    await post(reviewOf(pull))
    assert.equal((await post(reviewOf(pull, { run: 2 }))).adopted, false)
    assert.equal(pull.reviews().length, 2)
  })
})

describe('comments', { skip }, () => {
  test('outside the diff stand in the review, and the rest at their lines', async (t) => {
    const { post, pull } = await startPosting(t)
    const comments = [
      comment('inside'),
      comment('outside', { line: 20, endLine: 22 }),
      comment('binary', { path: 'logo.png', line: 1, endLine: 1 }),
      comment('elsewhere', { path: 'not/there.ts' }),
    ]
    const posted = await post(reviewOf(pull, { comments }))

    assert.equal(posted.unplaced, 3)
    assert.deepEqual(visible({ pull }).comments, ['cart.ts:3 Body of inside.'])
    const [{ body }] = pull.reviews()
    assert.match(body, /### At lines outside the diff\n\n` cart.ts:20-22 `\n\nBody of outside\./)
    assert.match(body, /` logo.png:1 `.*` not\/there.ts:3 `/s)
    assert.equal((await post(reviewOf(pull, { comments }))).unplaced, 3, 'the next attempt counts the same')
  })

  test('of several lines keep them, and the part that the diff shows where it does not show all', async (t) => {
    const { post, pull } = await startPosting(t)
    const comments = [
      comment('whole', { line: 2, endLine: 4, replacement: 'x' }),
      comment('part', { line: 5, endLine: 20, replacement: 'x' }),
    ]
    await post(reviewOf(pull, { comments }))
    const [whole, part] = pull.reviewComments().sort((a, b) => a.line - b.line)
    assert.deepEqual([whole.start_line, whole.line, part.start_line, part.line], [2, 4, 5, 6])
    assert.match(whole.body, /```suggestion\nx\n```/)
    assert.doesNotMatch(part.body, /suggestion/, 'it would replace the wrong lines')
  })

  test('at lines with carriage returns suggest nothing to apply', async (t) => {
    const { post, pull } = await startPosting(t)
    await post(
      reviewOf(pull, {
        comments: [comment('f', { path: 'crlf.ts', line: 1, endLine: 1, replacement: 'x' })],
      }),
    )
    assert.match(pull.reviewComments()[0].body, /```\nx\n```$/)
  })

  test('of which GitHub refuses one: that one stands in the review, the rest at their lines', async (t) => {
    const { github, post, pull } = await startPosting(t)
    github.fail({ times: Number.POSITIVE_INFINITY, with: { unresolvable: { path: 'cart.ts', line: 40 } } })
    const posted = await post(reviewOf(pull))

    assert.equal(posted.unplaced, 1)
    assert.deepEqual(visible({ pull }), { ...POSTED, comments: ['cart.ts:3 Body of f1.'] })
    assert.match(pull.reviews()[0].body, /^<!-- kodus:review:.*` cart.ts:40 `\n\nBody of f2\.$/s)
    assert.equal((await post(reviewOf(pull))).adopted, true, 'its marker is still there')
  })

  test('of a head that is no longer the newest are placed by that head', async (t) => {
    const { post, pull } = await startPosting(t)
    const review = reviewOf(pull)
    pull.push({ 'cart.ts': 'let all = "different"\n' })
    assert.equal((await post(review)).unplaced, 0)
    assert.equal(pull.reviews()[0].commit_id, review.head)
  })

  test('of a head that a force-push took away are said all the same', async (t) => {
    const { post, pull, shop } = await startPosting(t)
    const review = reviewOf(pull)
    pull.push({ 'cart.ts': 'let all = "different"\n' }, { onto: shop.head('main') })
    await post(review)
    assert.deepEqual(visible({ pull }).reviews, ['COMMENTED'])
    const said = [pull.reviews()[0].body, ...pull.reviewComments().map(({ body }) => body)].join('\n')
    for (const { body } of review.comments) assert.ok(said.includes(body))
  })

  test('and bodies that are too long are cut, and found again', async (t) => {
    const { post, pull } = await startPosting(t)
    const long = 'A sentence that goes on. '.repeat(4_000)
    const review = reviewOf(pull, { body: long, summary: long, comments: [comment('f', { body: long })] })
    await post(review)
    await post(review)
    assert.equal(pull.reviews().length, 1)
    assert.equal(pull.comments().length, 1)
    for (const { body } of [...pull.reviews(), ...pull.comments(), ...pull.reviewComments()]) {
      assert.match(body, /^<!-- kodus:\w+:\S* -->\n\*This is longer than GitHub allows/)
    }
  })
})

describe('when GitHub fails', { skip }, () => {
  const faults: { name: string; fault: Fault; code: string }[] = [
    {
      name: 'at the list of reviews',
      fault: { path: /\/reviews\?/, times: 2, with: { status: 500 } },
      code: 'GITHUB_UNAVAILABLE',
    },
    {
      name: 'at the diff',
      fault: { path: /\/files\?/, times: 2, with: { status: 502 } },
      code: 'GITHUB_UNAVAILABLE',
    },
    { name: 'to create the review', fault: { ...CREATE, with: { status: 500 } }, code: 'GITHUB_UNAVAILABLE' },
    {
      name: 'after it created the review',
      fault: { ...CREATE, with: { statusAfter: 502 } },
      code: 'GITHUB_UNAVAILABLE',
    },
    {
      name: 'by cutting the connection, the review created',
      fault: { ...CREATE, with: { cut: 'after' } },
      code: 'GITHUB_UNREACHABLE',
    },
    {
      name: 'in the middle of its answer',
      fault: { ...CREATE, with: { cut: 'body' } },
      code: 'GITHUB_UNREACHABLE',
    },
    { name: 'to submit the review', fault: { ...SUBMIT, with: { status: 503 } }, code: 'GITHUB_UNAVAILABLE' },
    {
      name: 'after it submitted the review',
      fault: { ...SUBMIT, with: { statusAfter: 502 } },
      code: 'GITHUB_UNAVAILABLE',
    },
    {
      name: 'by cutting the connection, the review submitted',
      fault: { ...SUBMIT, with: { cut: 'after' } },
      code: 'GITHUB_UNREACHABLE',
    },
    {
      name: 'by the primary rate limit',
      fault: { ...CREATE, with: { primaryLimit: { resetInSeconds: 600 } } },
      code: 'GITHUB_RATE_LIMITED',
    },
    {
      name: 'by the secondary rate limit',
      fault: { ...CREATE, with: { secondaryLimit: { retryAfter: 60 } } },
      code: 'GITHUB_RATE_LIMITED',
    },
    {
      name: 'after it took the summary',
      fault: { method: 'POST', path: /\/issues\/\d+\/comments$/, with: { statusAfter: 502 } },
      code: 'GITHUB_UNAVAILABLE',
    },
    {
      name: 'after it concluded the check run',
      fault: { method: 'PATCH', path: /\/check-runs\//, with: { statusAfter: 502 } },
      code: 'GITHUB_UNAVAILABLE',
    },
  ]
  for (const { name, fault, code: expected } of faults) {
    test(`${name}, the next attempt does the rest, once`, async (t) => {
      const { github, post, pull, shop } = await startPosting(t)
      const handle = github.fail(fault)
      assert.deepEqual(await code(post(reviewOf(pull))), { code: expected, retryability: 'transient' })
      assert.ok(handle.happened() > 0)
      github.recover()

      const { url } = await post(reviewOf(pull))
      assert.equal(url, pull.reviews()[0].html_url)
      assert.deepEqual(visible({ pull }), POSTED)
      const [run, ...others] = shop.checkRuns(pull.head())
      assert.deepEqual([run.status, run.output.annotations_count, others], ['completed', 2, []])
    })
  }

  test('for lack of the permission, it is named and nothing is posted', async (t) => {
    const { github, post, pull } = await startPosting(t)
    github.app.permissions.pull_requests = 'read'
    const failure = await code(post(reviewOf(pull)))
    assert.deepEqual(failure, { code: 'GITHUB_FORBIDDEN', retryability: 'permanent' })
    assert.deepEqual(visible({ pull }), { reviews: [], comments: [], conversation: [] })
  })
})

describe('when GitHub does not allow the summary', { skip }, () => {
  const fault: Fault = {
    method: 'POST',
    path: /\/issues\/\d+\/comments$/,
    with: { permission: 'issues=write; pull_requests=write' },
  }

  test('the review is posted all the same', async (t) => {
    const { github, post, pull, shop } = await startPosting(t)
    github.fail(fault)
    assert.equal((await post(reviewOf(pull))).url, pull.reviews()[0].html_url)
    assert.equal(shop.checkRuns(pull.head())[0].status, 'completed')
  })

  test('and there is nothing else to post, that is an error which names the permission', async (t) => {
    const { github, post, pull } = await startPosting(t)
    github.fail(fault)
    await assert.rejects(post(reviewOf(pull, { comments: [] })), (error: KodusError) => {
      assert.equal(error.code, 'GITHUB_FORBIDDEN')
      assert.match(error.help, /issues: write/)
      return true
    })
  })
})

test('an attempt that is told to stop stops, for the reason it was told', { skip }, async (t) => {
  const { github, post, pull } = await startPosting(t)
  const slow = github.fail({ ...CREATE, with: { hold: 'before' } })
  const held = slow.next()
  const stop = new AbortController()
  const attempt = code(post(reviewOf(pull), async () => true, stop.signal))
  await held
  stop.abort(new KodusError('WORKER_STOPS', 'The worker stops.', { help: '', retryability: 'transient' }))
  assert.equal((await attempt).code, 'WORKER_STOPS')
  slow.release()
})

describe('an attempt that lost its job', { skip }, () => {
  test('posts nothing, and leaves nothing pending', async (t) => {
    const { post, pull } = await startPosting(t)
    for (const answers of [[false], [true, false]]) {
      const stillOurs = async () => answers.shift() ?? false
      assert.equal((await code(post(reviewOf(pull), stillOurs))).code, 'LEASE_LOST')
      assert.deepEqual(visible({ pull }), { reviews: [], comments: [], conversation: [] })
    }
  })

  test('between its last question and submitting finds its pending review gone', async (t) => {
    const { github, post, pull } = await startPosting(t)
    let ours = true
    const frozen = github.fail({ ...SUBMIT, with: { hold: 'before' } })
    const held = frozen.next()
    const predecessor = code(post(reviewOf(pull), async () => ours))
    await held

    ours = false
    await post(reviewOf(pull))
    assert.deepEqual(visible({ pull }), POSTED)
    frozen.release()
    assert.equal((await predecessor).code, 'LEASE_LOST')
    assert.deepEqual(visible({ pull }), POSTED)
  })

  test('before it created its pending review, creates it in vain', async (t) => {
    const { github, post, pull } = await startPosting(t)
    let ours = true
    const frozen = github.fail({ ...CREATE, with: { hold: 'before' } })
    const held = frozen.next()
    const predecessor = code(post(reviewOf(pull), async () => ours))
    await held

    ours = false
    await post(reviewOf(pull))
    frozen.release()
    assert.equal((await predecessor).code, 'LEASE_LOST')
    assert.deepEqual(visible({ pull }), POSTED)
  })

  test('that still holds its job and finds its pending review gone tries again', async (t) => {
    const { github, post, pull } = await startPosting(t)
    github.fail({ ...SUBMIT, with: { status: 404 } })
    const failure = await code(post(reviewOf(pull)))
    assert.deepEqual(failure, { code: 'GITHUB_REVIEW_GONE', retryability: 'transient' })
    await post(reviewOf(pull))
    assert.deepEqual(visible({ pull }), POSTED)
  })
})

describe('a pending review', { skip }, () => {
  const beginReview = async (github: GitHub, token: string, number: number, body: string) => {
    const response = await fetch(`${github.apiUrl}/repos/octo/shop/pulls/${number}/reviews`, {
      method: 'POST',
      headers: { authorization: `token ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ body }),
    })
    assert.equal(response.status, 200)
  }

  test('of another job of ours is respected for ten minutes, then deleted', async (t) => {
    const { github, markers, post, pull } = await startPosting(t)
    const token = github.createInstallationToken('octo')
    const begunAgo = (seconds: number) =>
      markers.write('review', 'another job', '1', String(Math.floor(Date.now() / 1000) - seconds))

    await beginReview(github, token, pull.number, begunAgo(9 * 60))
    const failure = await code(post(reviewOf(pull)))
    assert.deepEqual(failure, { code: 'GITHUB_REVIEW_IN_PROGRESS', retryability: 'transient' })
    assert.deepEqual(visible({ pull }).reviews, ['PENDING'])
    // A minute is left of its ten: that is when to look again.
    await assert.rejects(
      post(reviewOf(pull)),
      ({ retryAfterMs = 0 }: KodusError) => retryAfterMs > 30_000 && retryAfterMs <= 60_000,
    )

    const octokitToken = github.createInstallationToken('octo')
    const [{ id }] = pull.reviews()
    await fetch(`${github.apiUrl}/repos/octo/shop/pulls/${pull.number}/reviews/${id}`, {
      method: 'DELETE',
      headers: { authorization: `token ${octokitToken}` },
    })
    await beginReview(github, token, pull.number, begunAgo(11 * 60))
    await post(reviewOf(pull))
    assert.deepEqual(visible({ pull }), POSTED)
  })

  test('that a person began with our account is never touched', async (t) => {
    const { github, post, pull } = await startPosting(t, { token: 'hubot' })
    await beginReview(github, github.createToken('hubot'), pull.number, 'My own thoughts.')
    await assert.rejects(post(reviewOf(pull)), (error: KodusError) => {
      assert.equal(error.code, 'GITHUB_PENDING_REVIEW')
      assert.equal(error.retryability, 'permanent')
      assert.match(error.help, /hubot/)
      return true
    })
    const [draft] = pull.reviews()
    assert.deepEqual([draft.state, draft.body, draft.user.login], ['PENDING', 'My own thoughts.', 'hubot'])
  })

  test('of a person with their own account does not matter', async (t) => {
    const { github, post, pull } = await startPosting(t)
    await beginReview(github, github.createToken('mona'), pull.number, 'My own thoughts.')
    await post(reviewOf(pull))
    assert.deepEqual(visible({ pull }).reviews.sort(), ['COMMENTED', 'PENDING'])
  })
})

describe('a marker that a stranger pasted', { skip }, () => {
  test('is no review of ours, and no summary', async (t) => {
    const { github, markers, post, pull } = await startPosting(t)
    const review = reviewOf(pull)
    const response = await fetch(`${github.apiUrl}/repos/octo/shop/pulls/${pull.number}/reviews`, {
      method: 'POST',
      headers: { authorization: `token ${github.createToken('mona')}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        event: 'COMMENT',
        body: `${markers.write('review', review.jobId, '1', '1')}\nMine.`,
      }),
    })
    assert.equal(response.status, 200)
    pull.comment('mona', `${markers.write('summary')}\nMine.`)

    assert.equal((await post(review)).adopted, false)
    assert.deepEqual(visible({ pull }).reviews, ['COMMENTED', 'COMMENTED'])
    assert.deepEqual(visible({ pull }).conversation, ['Mine.', 'Reviewed 2 files.'])
  })
})

describe('the summary', { skip }, () => {
  test('is one comment, rewritten by each review, and left alone where it says the same', async (t) => {
    const { github, post, pull } = await startPosting(t)
    await post(reviewOf(pull))
    const [first] = pull.comments()
    await post(reviewOf(pull, { run: 2, summary: 'Reviewed again.' }))
    assert.deepEqual(
      pull.comments().map(({ id, body }) => [id, body.split('\n')[1]]),
      [[first.id, 'Reviewed again.']],
    )
    const writes = () =>
      github.requests.filter(({ path, method }) => method === 'PATCH' && /comments\//.test(path)).length
    const before = writes()
    await post(reviewOf(pull, { run: 3, summary: 'Reviewed again.' }))
    assert.equal(writes(), before)
  })

  test('that came to be twice is one again: the older one', async (t) => {
    const { client, markers, post, pull } = await startPosting(t)
    const octokit = await client.forRepository('octo/shop')
    for (const text of ['one', 'two']) {
      await octokit.request('POST /repos/{owner}/{repo}/issues/{issue_number}/comments', {
        owner: 'octo',
        repo: 'shop',
        issue_number: pull.number,
        body: `${markers.write('summary')}\n${text}`,
      })
    }
    const [older] = pull.comments()
    await post(reviewOf(pull))
    assert.deepEqual(
      pull.comments().map(({ id, body }) => [id, body.split('\n')[1]]),
      [[older.id, 'Reviewed 2 files.']],
    )
  })

  test('is found behind more than a hundred comments', async (t) => {
    const { post, pull } = await startPosting(t)
    for (let number = 0; number < 105; number++) pull.comment('mona', `Comment ${number}`)
    await post(reviewOf(pull))
    await post(reviewOf(pull, { run: 2, summary: 'Reviewed again.' }))
    assert.deepEqual(visible({ pull }).conversation.slice(105), ['Reviewed again.'])
  })
})
