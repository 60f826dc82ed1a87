import type { GitHubClient } from '../../forges/github/client.ts'
import { splitRepository } from '../../forges/github/repository-name.ts'
import { KodusError } from '../../lib/errors.ts'
import { EVENTS } from './permissions.ts'

/**
 * Sees that a repository has the one webhook that leads here, with this secret.
 *
 * @returns what was done, for a person
 * @throws KodusError SETUP_FORBIDDEN where the token may not manage webhooks; or why GitHub said no
 */
export async function ensureHook(
  client: GitHubClient,
  repository: string,
  { url, secret }: { url: string; secret: string },
): Promise<string> {
  const octokit = await client.forRepository(repository)
  const where = splitRepository(repository)
  const listed = octokit.request('GET /repos/{owner}/{repo}/hooks', { ...where, per_page: 100 })
  const { data: hooks } = await listed.catch((error: unknown) => {
    throw isRefusal(error) ? forbidden(repository, url, error) : error
  })
  const wanted = {
    config: { url, content_type: 'json', secret, insecure_ssl: '0' },
    events: [...EVENTS],
    active: true,
  }
  const ours = hooks.find((hook) => hook.config.url === url)
  if (ours) {
    const hook = { ...where, hook_id: ours.id, ...wanted }
    await octokit.request('PATCH /repos/{owner}/{repo}/hooks/{hook_id}', hook)
    return 'its webhook was there, and has our secret'
  }
  await octokit.request('POST /repos/{owner}/{repo}/hooks', { ...where, name: 'web', ...wanted })
  return 'webhook made'
}

function isRefusal(error: unknown): error is KodusError {
  return error instanceof KodusError && ['GITHUB_FORBIDDEN', 'GITHUB_NOT_FOUND'].includes(error.code)
}

function forbidden(repository: string, url: string, cause: KodusError): KodusError {
  return new KodusError('SETUP_FORBIDDEN', `The token may not manage the webhooks of ${repository}.`, {
    help: `Its owner has to be an admin there, and a fine-grained token needs Webhooks: read and write. Or make the webhook by hand (${url}, application/json, a secret of your own; events ${EVENTS.join(', ')}) and set GITHUB_WEBHOOK_SECRET; or use --poll.`,
    cause,
  })
}
