import type { GitHubClient, Octokit } from '../../forges/github/client.ts'
import type { GitHubConfig } from '../../forges/github/config.ts'
import { createGitHubDeliveryLog } from '../../forges/github/deliveries.ts'
import { splitRepository } from '../../forges/github/repository-name.ts'
import type { FailedDelivery } from '../../jobs/delivery-log.ts'
import type { Environment } from '../../lib/env.ts'
import { KodusError } from '../../lib/errors.ts'

/** For how long back GitHub remembers deliveries. */
const KEPT_MS = 3 * 24 * 3600_000

/**
 * Where the App's webhooks go; undefined where it is polled instead.
 *
 * @throws KodusError GITHUB_HOOK_MISSING, GITHUB_SECRET_MISSING, or GITHUB_TOLD_TWICE where both ways are set up
 */
export async function examineHook(
  app: Octokit,
  slug: string,
  { pollSeconds }: GitHubConfig,
  { GITHUB_WEBHOOK_SECRET: secret }: Environment,
): Promise<string | undefined> {
  if (pollSeconds && !secret) return undefined
  const url = await hookUrl(app)
  if (pollSeconds) {
    if (!url) return undefined
    throw new KodusError(
      'GITHUB_TOLD_TWICE',
      `GITHUB_POLL_SECONDS and GITHUB_WEBHOOK_SECRET are set, and the App ${slug} has a webhook, to ${url}.`,
      { help: 'Choose one: unset GITHUB_POLL_SECONDS, or GITHUB_WEBHOOK_SECRET.' },
    )
  }
  if (!url) {
    throw new KodusError(
      'GITHUB_HOOK_MISSING',
      `The App ${slug} has no webhook, and GITHUB_POLL_SECONDS is not set.`,
      {
        help: 'Set the webhook on its page to https://<your address>/webhooks/github, with the secret in GITHUB_WEBHOOK_SECRET. Or set GITHUB_POLL_SECONDS.',
      },
    )
  }
  if (secret) return url
  throw new KodusError(
    'GITHUB_SECRET_MISSING',
    `GITHUB_WEBHOOK_SECRET is not set: the webhook handler answers 503 to what the App ${slug} sends to ${url}.`,
    { help: "Set it to the webhook's secret on the App's page, where a new one can be given too." },
  )
}

async function hookUrl(app: Octokit): Promise<string | undefined> {
  try {
    return (await app.request('GET /app/hook/config')).data.url || undefined
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

/**
 * What failed lately, for a person.
 *
 * @throws KodusError GITHUB_DELIVERIES_REFUSED while webhooks are refused for their signature
 */
export async function examineDeliveries(
  client: GitHubClient,
  { repositories }: GitHubConfig,
): Promise<string> {
  const log = createGitHubDeliveryLog({ client, repositories })
  const report = await log.failedSince(new Date(Date.now() - KEPT_MS), AbortSignal.timeout(60_000))
  const [unread] = report.unread
  if (unread) return `its webhooks cannot be looked at (${unread.source}: ${unread.reason})`
  const newest = report.deliveries.at(-1)
  if (!newest) return 'no delivery failed in three days'
  if (['401', '403'].includes(newest.failure) && !(await succeedsNow(client, newest))) throw refused(newest)
  const count = report.deliveries.length
  const failed = count === 1 ? '1 delivery' : `${count} deliveries`
  return `${failed} failed in three days, the newest with ${newest.failure} (\`kodus deliveries list\` tells what became of them)`
}

/** Whether the last attempt of the same hook succeeded: GitHub goes on listing what failed before it was mended. */
async function succeedsNow(client: GitHubClient, { source }: FailedDelivery): Promise<boolean> {
  const [last] = await lastAttempts(client, source)
  return last !== undefined && last.status_code >= 200 && last.status_code < 400
}

async function lastAttempts(client: GitHubClient, source: string): Promise<{ status_code: number }[]> {
  const app = client.asApp()
  if (app) return (await app.request('GET /app/hook/deliveries', { per_page: 1 })).data
  const [owner, name, hook] = source.split('/')
  const repository = `${owner}/${name}`
  const octokit = await client.forRepository(repository)
  const place = { ...splitRepository(repository), hook_id: Number(hook), per_page: 1 }
  return (await octokit.request('GET /repos/{owner}/{repo}/hooks/{hook_id}/deliveries', place)).data
}

function refused({ failedAt, failure, source }: FailedDelivery): KodusError {
  const page = source === 'app' ? "the App's page" : "the page of the repository's webhook"
  const because =
    failure === '401'
      ? 'GitHub signs with another secret than GITHUB_WEBHOOK_SECRET.'
      : 'GitHub signs with another secret than GITHUB_WEBHOOK_SECRET, or something before the webhook handler refuses it.'
  return new KodusError(
    'GITHUB_DELIVERIES_REFUSED',
    `The newest delivery that failed (${failedAt}) was answered ${failure}: ${because}`,
    {
      help: `Set the webhook's secret on ${page} to the one in GITHUB_WEBHOOK_SECRET, restart where that changed, and run \`kodus deliveries sweep\`.`,
    },
  )
}

export function isNotFound(error: unknown): error is KodusError {
  return error instanceof KodusError && error.code === 'GITHUB_NOT_FOUND'
}
