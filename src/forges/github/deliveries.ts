import type { DeliveryLog, DeliveryReport, SentDelivery } from '../../jobs/delivery-log.ts'
import { KodusError } from '../../lib/errors.ts'
import type { GitHubClient, Octokit } from './client.ts'
import { splitRepository } from './repository-name.ts'
import { concernsUs } from './webhook.ts'

/** Of 100 deliveries each: an hour's outage of a very busy installation, and an end to the loop. */
const MAX_FAILED_PAGES = 50

/** GitHub lists from the newest on, so all that came since have to be looked through, and not just a part of them. */
const MAX_PAGES = 1_000

/** How every address ends that leads to our webhook handler. */
const OUR_PATH = /\/webhooks\/github\/?$/

interface DeliveryItem {
  /** Above 2^53, octokit reads it as a bigint. */
  id: number | bigint
  /** The same in all attempts. */
  guid: string
  delivered_at: string
  status: string
  status_code: number
  event: string
  action?: string | null
}

/**
 * GitHub's own record of the webhooks it sent: of the App's one hook or, with a token, of the hooks in the
 * listed repositories that lead to us. GitHub keeps it for three days.
 *
 * @param repositories GITHUB_REPOSITORIES. A token has no hook of its own: those of `owner/name` are asked
 */
export function createGitHubDeliveryLog({
  client,
  repositories,
}: {
  client: GitHubClient
  repositories: readonly string[]
}): DeliveryLog {
  const read = async (asked: Asked, signal: AbortSignal) => {
    const app = client.asApp(signal)
    if (app) return { deliveries: newestAttempts('app', await ofApp(app, asked)), unread: [] }
    return await ofRepositories(client, named(repositories), asked, signal)
  }
  return {
    async failedSince(since, signal) {
      const { deliveries, unread } = await read({ since, onlyFailed: true }, signal)
      return { deliveries: deliveries.filter(({ arrived }) => !arrived), unread }
    },
    sentSince: (since, signal) => read({ since, onlyFailed: false }, signal),
    async redeliver({ source, attemptId }, signal) {
      // GitHub's types say number; octokit writes it into the address, where a number would lose digits.
      const delivery_id = attemptId as unknown as number
      const app = client.asApp(signal)
      const [, repository, hook] = /^([^/]+\/[^/]+)\/(\d+)$/.exec(source) ?? []
      if (app && source === 'app') {
        await app.request('POST /app/hook/deliveries/{delivery_id}/attempts', { delivery_id })
      } else if (!app && repository) {
        const octokit = await client.forRepository(repository, signal)
        await octokit.request(
          'POST /repos/{owner}/{repo}/hooks/{hook_id}/deliveries/{delivery_id}/attempts',
          { ...splitRepository(repository), hook_id: Number(hook), delivery_id },
        )
      } else throw foreign(source)
    },
  }
}

function named(repositories: readonly string[]): string[] {
  const names = repositories.filter((entry) => entry.includes('/'))
  if (names.length > 0) return names
  throw new KodusError(
    'GITHUB_HOOKS_UNKNOWN',
    'With a token, GitHub does not say by itself which webhooks lead here.',
    { help: 'List the repositories in GITHUB_REPOSITORIES as owner/name,owner/other.' },
  )
}

/** Which deliveries GitHub is asked about. */
interface Asked {
  since: Date
  onlyFailed: boolean
}

async function ofApp(app: Octokit, asked: Asked): Promise<DeliveryItem[]> {
  try {
    return await pages(asked, (page) => app.request('GET /app/hook/deliveries', page))
  } catch (error) {
    // An App without a webhook has sent nothing.
    if (error instanceof KodusError && error.code === 'GITHUB_NOT_FOUND') return []
    throw error
  }
}

/** A repository that is gone, or whose hooks the token may not see, does not hide the others. */
async function ofRepositories(
  client: GitHubClient,
  repositories: readonly string[],
  asked: Asked,
  signal: AbortSignal,
): Promise<DeliveryReport> {
  const report: DeliveryReport = { deliveries: [], unread: [] }
  for (const repository of repositories) {
    try {
      report.deliveries.push(...(await ofRepository(client, repository, asked, signal)))
    } catch (error) {
      if (!(error instanceof KodusError) || error.retryability === 'transient') throw error
      report.unread.push({ source: repository, reason: `${error.code}: ${error.message}` })
    }
  }
  report.deliveries.sort(byTime)
  return report
}

async function ofRepository(client: GitHubClient, repository: string, asked: Asked, signal: AbortSignal) {
  const octokit = await client.forRepository(repository, signal)
  const where = splitRepository(repository)
  const { data: hooks } = await octokit.request('GET /repos/{owner}/{repo}/hooks', {
    ...where,
    per_page: 100,
  })
  const sent: SentDelivery[] = []
  for (const { id, config } of hooks) {
    if (!OUR_PATH.test(config.url?.split('?')[0] ?? '')) continue
    const items = await pages(asked, (page) =>
      octokit.request('GET /repos/{owner}/{repo}/hooks/{hook_id}/deliveries', {
        ...where,
        hook_id: id,
        ...page,
      }),
    )
    sent.push(...newestAttempts(`${repository}/${id}`, items))
  }
  return sent
}

/** An older GitHub Enterprise does not know `status` and sends all: what succeeded is sorted out afterwards. */
type PageQuery = {
  per_page: number
  status?: 'failure'
  cursor?: string
}

/**
 * Newest first, as GitHub lists them.
 *
 * @throws KodusError GITHUB_DELIVERIES_TOO_MANY rather than passing off a part as all
 */
async function pages(
  { since, onlyFailed }: Asked,
  fetchPage: (query: PageQuery) => Promise<{ data: DeliveryItem[]; headers: { link?: string | undefined } }>,
): Promise<DeliveryItem[]> {
  const items: DeliveryItem[] = []
  const query: PageQuery = { per_page: 100, ...(onlyFailed && { status: 'failure' }) }
  for (let page = 0; page < (onlyFailed ? MAX_FAILED_PAGES : MAX_PAGES); page++) {
    const { data, headers } = await fetchPage(query)
    items.push(...data.filter(({ delivered_at }) => new Date(delivered_at) >= since))
    const oldest = data.at(-1)
    const cursor = nextCursor(headers.link)
    if (cursor === undefined || !oldest || new Date(oldest.delivered_at) < since) return items
    query.cursor = cursor
  }
  if (onlyFailed) return items
  throw new KodusError(
    'GITHUB_DELIVERIES_TOO_MANY',
    'GitHub has sent more since then than can be looked through.',
    {
      help: `Only the newest ${MAX_PAGES * 100} are looked through: name a later time.`,
    },
  )
}

function nextCursor(link: string | undefined): string | undefined {
  const url = /<([^>]+)>;\s*rel="next"/.exec(link ?? '')?.[1]
  return (url && new URL(url).searchParams.get('cursor')) || undefined
}

/**
 * By delivery: the newest attempt, and whether any is seen to have succeeded. Oldest first. What asks for nothing
 * is not worth a second attempt.
 *
 * @param items newest first
 */
function newestAttempts(source: string, items: readonly DeliveryItem[]): SentDelivery[] {
  const arrived = new Set(items.filter(succeeded).map(({ guid }) => guid))
  const seen = new Set<string>()
  const newest: SentDelivery[] = []
  for (const { guid, id, event, action, delivered_at, status, status_code } of items) {
    if (seen.has(guid) || !concernsUs(event, action)) continue
    seen.add(guid)
    newest.push({
      arrived: arrived.has(guid),
      deliveryId: guid,
      attemptId: String(id),
      source,
      event,
      failedAt: delivered_at,
      failure: status_code > 0 ? String(status_code) : status.slice(0, 100),
    })
  }
  return newest.reverse().sort(byTime)
}

/** As GitHub counts. */
function succeeded({ status_code }: DeliveryItem): boolean {
  return status_code >= 200 && status_code < 400
}

function byTime(a: SentDelivery, b: SentDelivery): number {
  return Date.parse(a.failedAt) - Date.parse(b.failedAt)
}

function foreign(source: string): KodusError {
  return new KodusError(
    'GITHUB_DELIVERY_FOREIGN',
    `The delivery belongs to ${source === 'app' ? 'an App' : `a webhook of ${source}`}, which is not ours now.`,
    {
      help: 'The credentials have changed since it failed. Redeliver it at GitHub, in the settings of that webhook.',
    },
  )
}
