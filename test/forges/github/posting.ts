import type { TestContext } from 'node:test'
import type { InlineComment, PostableReview } from '../../../src/forges/forge.ts'
import { createGitHubClient } from '../../../src/forges/github/client.ts'
import { readGitHubConfig } from '../../../src/forges/github/config.ts'
import { createMarkers } from '../../../src/forges/github/marker.ts'
import { createGitHubPoster } from '../../../src/forges/github/post-review.ts'
import type { ReviewRequest } from '../../../src/jobs/review-request.ts'
import { silentLog } from '../../../src/lib/log.ts'
import { type GitHub, type PullRequest, startGitHub } from '../../github/server.ts'

export const MARKER_KEY = Buffer.alloc(32, 7)

const CART = Array.from({ length: 60 }, (_, index) => `const line${index + 1} = ${index + 1}`)

/** Line 3 and line 40 changed: hunks 1 to 6 and 37 to 43. */
const CHANGED_CART = CART.with(2, 'const line3 = 33').with(39, 'const line40 = 4040')

/** A local GitHub with one pull request, and a poster that works for it. */
export async function startPosting(t: TestContext, { token }: { token?: string } = {}) {
  const github = await startGitHub(t)
  const shop = github.createRepository('octo/shop', { files: { 'cart.ts': text(CART), 'logo.png': 'PNG\0' } })
  shop.commit('feature', {
    'cart.ts': text(CHANGED_CART),
    'new.ts': text(Array.from({ length: 200 }, (_, index) => `let new${index + 1}`)),
    'crlf.ts': 'let a = 1\r\nlet b = 2\r\n',
    'logo.png': 'PNG\0\0',
  })
  const pull = shop.openPullRequest({ head: 'feature', author: 'mona' })
  shop.setPermission('mona', 'read')
  if (token !== undefined) shop.setPermission(token, 'write')
  const client = createClient(github, token)
  const poster = createGitHubPoster({ client, markerKey: MARKER_KEY, log: silentLog })
  const markers = createMarkers(MARKER_KEY, { repository: 'octo/shop', pullRequest: String(pull.number) })
  return {
    github,
    shop,
    pull,
    client,
    markers,
    request: requestOf(pull),
    /** One attempt to post. */
    post: (
      review: PostableReview,
      stillOurs: () => Promise<boolean> = async () => true,
      signal = AbortSignal.timeout(60_000),
    ) => poster.post(requestOf(pull), review, stillOurs, signal),
  }
}

function text(lines: string[]): string {
  return lines.map((line) => `${line}\n`).join('')
}

export function createClient({ apiUrl, app, createToken }: GitHub, token?: string) {
  const config = readGitHubConfig({
    GITHUB_API_URL: apiUrl,
    ...(token === undefined
      ? { GITHUB_APP_ID: String(app.id), GITHUB_APP_PRIVATE_KEY: app.privateKey }
      : { GITHUB_TOKEN: createToken(token) }),
  })
  if (!config) throw new Error('GitHub is not configured')
  return createGitHubClient(config, { log: silentLog })
}

export function requestOf(pull: PullRequest): ReviewRequest {
  return {
    repository: 'octo/shop',
    organisation: 'octo',
    pullRequest: String(pull.number),
    base: pull.show().base.sha,
    head: pull.head(),
    title: 'A change',
    description: '',
    branch: 'feature',
    sender: 'mona',
    action: 'opened',
  }
}

export function comment(id: string, overrides: Partial<InlineComment> = {}): InlineComment {
  return {
    id,
    path: 'cart.ts',
    line: 3,
    endLine: 3,
    severity: 'high',
    title: `Title of ${id}`,
    body: `Body of ${id}.`,
    ...overrides,
  }
}

export function reviewOf(pull: PullRequest, overrides: Partial<PostableReview> = {}): PostableReview {
  return {
    jobId: '0c5f1a52-2f05-5d3e-9f0e-1e6f1a9b7c11',
    run: 1,
    head: pull.head(),
    body: 'Two findings.',
    unplacedHeading: '### At lines outside the diff',
    comments: [comment('f1'), comment('f2', { line: 40, endLine: 40, severity: 'low' })],
    followUps: [],
    summary: 'Reviewed 2 files.',
    verdict: { conclusion: 'neutral', title: '2 findings', summary: 'See the review.' },
    ...overrides,
  }
}
