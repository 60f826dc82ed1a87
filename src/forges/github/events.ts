import * as v from 'valibot'
import type { EventSource } from '../../jobs/delivery-log.ts'
import { type Delivery, ownDelivery } from '../../jobs/review-request.ts'
import { KodusError } from '../../lib/errors.ts'
import type { NarrowedWebhook } from '../webhook-source.ts'
import type { GitHubClient } from './client.ts'
import type { GitHubConfig } from './config.ts'
import type { Octokit } from './octokit.ts'
import { splitRepository } from './repository-name.ts'
import { CommentEvent, PullRequestEvent } from './schema.ts'
import { narrowComment, narrowPullRequest } from './webhook.ts'

/** Small, since a pull request takes 25 kB in a list, and few change between two looks. */
const PER_PAGE = 30

/** 6,000 of each: more than any repository sees in three days, and an end to the loop. */
const MAX_PAGES = 200

/** GitHub's times are whole seconds, and its lists may lag behind: each look covers this much again. */
const OVERLAP_MS = 60_000

/** After a longer absence, what is older is left alone until it changes, as with webhooks. */
const LONGEST_MS = 3 * 24 * 3600_000

/** A repository as its webhooks would name it. */
interface Repository {
  full_name: string
  owner: { login: string }
}

/**
 * Asks GitHub what happened, for an installation that no webhook can reach: pull requests that changed, and
 * comments that address the reviewer. Each is narrowed as its webhook would have been. What is told twice has
 * the same delivery id, and so is done once. What was there before the first look is left alone until it
 * changes. The addresses are the same each time, so that an answer may be "not modified", which is free.
 */
export function createGitHubEventSource({
  client,
  config,
}: {
  client: GitHubClient
  config: Pick<GitHubConfig, 'repositories'>
}): EventSource {
  return {
    repositories: config.repositories,
    async happenedSince(repository, cursor, signal) {
      const octokit = await client.forRepository(repository, signal)
      const { data, headers } = await octokit.request(
        'GET /repos/{owner}/{repo}',
        splitRepository(repository),
      )
      // By GitHub's clock. The next look begins where this one began: what happens meanwhile is seen twice
      // rather than never.
      const now = new Date(headers.date ?? Date.now())
      const next = now.toISOString()
      if (cursor === null) return { deliveries: [], unread: [], cursor: next }
      const since = new Date(Math.max(Date.parse(cursor) - OVERLAP_MS, now.getTime() - LONGEST_MS))
      const told = [
        ...(await changedPullRequests(octokit, data, since)),
        ...(await conversationComments(octokit, data, since)),
        ...(await lineComments(octokit, data, since)),
      ]
      const unread: string[] = []
      const deliveries = told.flatMap((each) => {
        try {
          return toDeliveries(each)
        } catch (error) {
          // One that is not as GitHub describes it must not hide the others.
          if (!(error instanceof v.ValiError)) throw error
          unread.push(`${each.id}: ${error.message}`)
          return []
        }
      })
      return { deliveries, unread, cursor: next }
    },
  }
}

/** What a webhook would have told, and an id that is the same whenever it is told. */
interface Told {
  id: string
  /** @throws ValiError */
  narrow(): NarrowedWebhook
}

async function changedPullRequests(octokit: Octokit, repository: Repository, since: Date): Promise<Told[]> {
  const pulls = await newerThan(
    since,
    (page) =>
      octokit.request('GET /repos/{owner}/{repo}/pulls', {
        ...splitRepository(repository.full_name),
        state: 'all',
        sort: 'updated',
        direction: 'desc',
        per_page: PER_PAGE,
        page,
      }),
    ({ updated_at }) => updated_at,
  )
  return pulls.map((pull) => {
    const { number, head, base, draft } = pull
    const event = {
      action: pull.state === 'open' ? 'synchronize' : 'closed',
      pull_request: { ...pull, merged: pull.merged_at !== null },
      repository,
      sender: pull.user,
    }
    return {
      // Whatever makes a review out of date is in it, and nothing else that changes.
      id: `poll:${repository.full_name}#${number}@${head.sha}@${base.ref}@${draft ? 'draft' : 'ready'}`,
      narrow: () => narrowPullRequest(v.parse(PullRequestEvent, event)),
    }
  })
}

async function conversationComments(octokit: Octokit, repository: Repository, since: Date): Promise<Told[]> {
  const comments = await newerThan(
    since,
    (page) => octokit.request('GET /repos/{owner}/{repo}/issues/comments', newestFirst(repository, page)),
    ({ created_at }) => created_at,
  )
  return comments.map((comment) => {
    // Issues and pull requests share their numbers; the address tells them apart.
    const onPull = /\/pull\/\d+#/.test(comment.html_url)
    const issue = { number: numberIn(comment.issue_url), ...(onPull ? { pull_request: {} } : {}) }
    return toldComment('issue_comment', repository, comment, { issue })
  })
}

async function lineComments(octokit: Octokit, repository: Repository, since: Date): Promise<Told[]> {
  const comments = await newerThan(
    since,
    (page) => octokit.request('GET /repos/{owner}/{repo}/pulls/comments', newestFirst(repository, page)),
    ({ created_at }) => created_at,
  )
  return comments.map((comment) => {
    const pull_request = { number: numberIn(comment.pull_request_url) }
    return toldComment('pull_request_review_comment', repository, comment, { pull_request })
  })
}

function newestFirst({ full_name }: Repository, page: number) {
  const order = { sort: 'created', direction: 'desc' } as const
  return { ...splitRepository(full_name), ...order, per_page: PER_PAGE, page }
}

function toldComment(
  name: string,
  repository: Repository,
  comment: { id: number | bigint; user: { login: string; type: string } | null },
  about: object,
): Told {
  return {
    id: `poll:${name}:${repository.full_name}:${comment.id}`,
    narrow() {
      // Deleted accounts command nothing.
      if (!comment.user) return { ignored: 'nobody wrote the comment' }
      const event = { action: 'created', ...about, comment, repository, sender: comment.user }
      return narrowComment(name, v.parse(CommentEvent, event))
    },
  }
}

/**
 * The items of a list that is sorted newest first, down to the first that is older.
 *
 * @throws KodusError GITHUB_POLL_TOO_MUCH rather than passing off a part as the whole
 */
async function newerThan<Item>(
  since: Date,
  fetchPage: (page: number) => Promise<{ data: Item[]; headers: { link?: string | undefined } }>,
  timeOf: (item: Item) => string,
): Promise<Item[]> {
  const found: Item[] = []
  for (let page = 1; page <= MAX_PAGES; page++) {
    const { data, headers } = await fetchPage(page)
    const newer = data.filter((item) => new Date(timeOf(item)) >= since)
    found.push(...newer)
    if (newer.length < data.length || !/;\s*rel="next"/.test(headers.link ?? '')) return found
  }
  throw new KodusError('GITHUB_POLL_TOO_MUCH', 'More has happened since the last look than can be polled.', {
    help: 'Polling is for small installations. Let GitHub send webhooks: `kodus setup github --webhook-url`.',
  })
}

/** A request is done once for each delivery id; the state of a pull request is recorded each time it is told. */
function toDeliveries({ id, narrow }: Told): Delivery[] {
  const narrowed = narrow()
  if ('ignored' in narrowed) return []
  const { pullRequest, ...asked } = { pullRequest: undefined, ...narrowed }
  return [
    ...(Object.keys(asked).length > 0 ? [{ ...ownDelivery('github', id), ...asked }] : []),
    ...(pullRequest ? [{ ...ownDelivery('github', `${id}:state`), pullRequest }] : []),
  ]
}

function numberIn(url: string): number {
  return Number(url.slice(url.lastIndexOf('/') + 1))
}
