import { KodusError } from '../../lib/errors.ts'
import { markedBody } from './bodies.ts'
import { pendingReviewInTheWay } from './earlier-review.ts'
import { hasCode, type PullRequestPlace } from './pull-request-place.ts'

/** A thread that one of our findings began. */
export interface FindingThread {
  /** GraphQL's id. */
  id: string
  /** REST's id of the comment that began it. */
  rootId: string
  findingId: string
  isResolved: boolean
  /** Keys of our answers among its newest comments. */
  answers: string[]
}

interface ThreadComment {
  fullDatabaseId: string | null
  body: string
  viewerDidAuthor: boolean
}

interface ThreadsAnswer {
  repository: {
    pullRequest: {
      reviewThreads: {
        pageInfo: { hasNextPage: boolean; endCursor: string | null }
        nodes: ({
          id: string
          isResolved: boolean
          root: { nodes: (ThreadComment | null)[] | null }
          newest: { nodes: (ThreadComment | null)[] | null }
        } | null)[]
      }
    } | null
  } | null
}

const REVIEW_THREADS = `query ReviewThreads($owner: String!, $repo: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $repo) {
    pullRequest(number: $number) {
      reviewThreads(first: 50, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes {
          id
          isResolved
          root: comments(first: 1) { nodes { fullDatabaseId body viewerDidAuthor } }
          newest: comments(last: 30) { nodes { fullDatabaseId body viewerDidAuthor } }
        }
      }
    }
  }
}`

/** 10,000 threads, and an end to the loop. */
const MAX_PAGES = 200

/** The threads on a pull request that our findings began, oldest first. Only GraphQL tells what is resolved. */
export async function listFindingThreads(place: PullRequestPlace): Promise<FindingThread[]> {
  const { octokit, pull } = place
  const threads: FindingThread[] = []
  let after: string | null = null
  for (let page = 0; page < MAX_PAGES; page++) {
    const answer: ThreadsAnswer = await octokit.graphql(REVIEW_THREADS, {
      owner: pull.owner,
      repo: pull.repo,
      number: pull.pull_number,
      after,
    })
    const connection = answer.repository?.pullRequest?.reviewThreads
    for (const node of connection?.nodes ?? []) {
      const root = node?.root.nodes?.[0]
      const [findingId] = (root?.viewerDidAuthor && place.markers.read('finding', root.body)) || []
      if (!node || !root?.fullDatabaseId || findingId === undefined) continue
      const answers = (node.newest.nodes ?? []).flatMap((comment) =>
        comment?.viewerDidAuthor ? (place.markers.read('answer', comment.body) ?? []) : [],
      )
      const { id, isResolved } = node
      threads.push({ id, rootId: String(root.fullDatabaseId), findingId, isResolved, answers })
    }
    if (!connection?.pageInfo.hasNextPage) break
    after = connection.pageInfo.endCursor
  }
  return threads
}

/** Answers in a thread, under a marker with this key, by which a second attempt finds the answer. */
export async function reply(
  place: PullRequestPlace,
  rootId: string,
  key: string,
  body: string,
): Promise<void> {
  const { octokit, pull, markers } = place
  try {
    await octokit.request('POST /repos/{owner}/{repo}/pulls/{pull_number}/comments/{comment_id}/replies', {
      ...pull,
      comment_id: Number(rootId),
      body: markedBody(markers.write('answer', key), body),
    })
  } catch (error) {
    throw (hasCode(error, 'GITHUB_REFUSED') && (await pendingReviewInTheWay(place))) || error
  }
}

/** @throws KodusError GITHUB_FORBIDDEN naming the permission, which GitHub does not name here */
export async function setResolved(
  { octokit }: PullRequestPlace,
  threadId: string,
  resolved: boolean,
): Promise<void> {
  try {
    await octokit.graphql(resolved ? RESOLVE : UNRESOLVE, { threadId })
  } catch (error) {
    if (!hasCode(error, 'GITHUB_FORBIDDEN')) throw error
    throw new KodusError('GITHUB_FORBIDDEN', 'GitHub does not let us resolve threads, or open them again.', {
      help: 'An App needs the permission Contents: write for it, and nothing else here does. Without it, threads are answered and people resolve them.',
      cause: error,
    })
  }
}

const RESOLVE = `mutation ResolveThread($threadId: ID!) {
  resolveReviewThread(input: { threadId: $threadId }) { thread { id } }
}`

const UNRESOLVE = `mutation UnresolveThread($threadId: ID!) {
  unresolveReviewThread(input: { threadId: $threadId }) { thread { id } }
}`
