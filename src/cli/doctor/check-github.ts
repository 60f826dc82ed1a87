import { createGitHubClient, type GitHubClient, type Octokit } from '../../forges/github/client.ts'
import { type GitHubConfig, readGitHubConfig } from '../../forges/github/config.ts'
import { splitRepository } from '../../forges/github/repository-name.ts'
import type { Environment } from '../../lib/env.ts'
import { KodusError } from '../../lib/errors.ts'
import { silentLog } from '../../lib/log.ts'
import { inspectRepository } from '../setup/inspect-repository.ts'
import { EVENTS, missingPermissions } from '../setup/permissions.ts'
import type { Check } from './check.ts'
import { examineDeliveries, examineHook, isNotFound } from './check-github-webhooks.ts'

/** More accounts than these are counted, not listed. */
const MAX_LISTED = 5

/** Asks GitHub whether the credentials work, and whether they may do what reviews need. */
export const checkGitHub: Check = async (env) => {
  const config = readGitHubConfig(env)
  if (!config) return { state: 'off', says: 'not connected (`kodus setup github`)' }
  const client = createGitHubClient(config, { log: silentLog })
  const app = client.asApp()
  const who = app ? await examineApp(app, config, env) : await examineToken(client, config)
  const how = config.pollSeconds
    ? `polled every ${config.pollSeconds} s`
    : await examineDeliveries(client, config)
  return { state: 'ok', says: `${who}; ${how}` }
}

async function examineToken(client: GitHubClient, { repositories }: GitHubConfig): Promise<string> {
  const { login } = await client.identity('')
  const names = repositories.filter((entry) => entry.includes('/'))
  for (const name of names) await inspectRepository(client, name)
  return `token of ${login}, good for ${names.join(', ') || 'what GITHUB_REPOSITORIES would list as owner/name'}`
}

async function examineApp(app: Octokit, config: GitHubConfig, env: Environment): Promise<string> {
  const { data } = await app.request('GET /app')
  if (!data?.slug) throw new Error('GitHub did not say which App this is')
  const { slug, permissions, events, html_url } = data
  checkPermissions(`The App ${slug}`, permissions, `Grant them on its page: Permissions & events.`)
  const unheard = EVENTS.filter((event) => !events.includes(event))
  if (!config.pollSeconds && unheard.length > 0) {
    throw new KodusError('GITHUB_EVENTS_MISSING', `The App ${slug} is not told of ${unheard.join(', ')}.`, {
      help: 'Subscribe to them on its page (Permissions & events), or set GITHUB_POLL_SECONDS.',
    })
  }
  const installUrl = `${html_url}/installations/new`
  const installations = await examineInstallations(app, installUrl)
  const owners = installations.map(({ owner }) => owner)
  await checkInstalledFor(app, config.repositories, owners, installUrl)
  const listed = `${owners.slice(0, MAX_LISTED).join(', ')}${owners.length > MAX_LISTED ? `, … (${owners.length})` : ''}`
  const url = await examineHook(app, slug, config, env)
  const unresolved = installations.some(({ mayResolve }) => !mayResolve)
  return [
    `App ${slug}, installed at ${listed}`,
    ...(url ? [`webhooks to ${url}`] : []),
    ...(unresolved ? ['threads are answered, not resolved (contents: read)'] : []),
  ].join(', ')
}

/** @throws KodusError GITHUB_NOT_INSTALLED naming the first entry of the allowlist that the App does not reach */
async function checkInstalledFor(
  app: Octokit,
  repositories: readonly string[],
  owners: readonly string[],
  installUrl: string,
): Promise<void> {
  const reached = owners.map((owner) => owner.toLowerCase())
  for (const entry of repositories) {
    if (!entry.includes('/')) {
      if (!reached.includes(entry)) throw notInstalled(`for ${entry}`, installUrl)
      continue
    }
    await app.request('GET /repos/{owner}/{repo}/installation', splitRepository(entry)).catch((error) => {
      throw isNotFound(error) ? notInstalled(`for ${entry}`, installUrl, error) : error
    })
  }
}

async function examineInstallations(
  app: Octokit,
  installUrl: string,
): Promise<{ owner: string; mayResolve: boolean }[]> {
  const installations = await app.paginate('GET /app/installations', { per_page: 100 })
  if (installations.length === 0) throw notInstalled('anywhere', installUrl)
  return installations.map(({ account, permissions, suspended_at, html_url }) => {
    const owner = account && 'login' in account ? account.login : 'an enterprise'
    if (suspended_at) {
      throw new KodusError('GITHUB_SUSPENDED', `The App's installation at ${owner} is suspended.`, {
        help: `An owner can resume it: ${html_url}`,
      })
    }
    checkPermissions(`The installation at ${owner}`, permissions, `An owner has to accept them: ${html_url}`)
    return { owner, mayResolve: permissions.contents === 'write' }
  })
}

function checkPermissions(whose: string, granted: object, help: string): void {
  const missing = missingPermissions(granted as Record<string, string | undefined>)
  if (missing.length === 0) return
  throw new KodusError('GITHUB_PERMISSIONS_MISSING', `${whose} lacks ${missing.join(', ')}.`, { help })
}

function notInstalled(where: string, page: string, cause?: unknown): KodusError {
  return new KodusError('GITHUB_NOT_INSTALLED', `The App is not installed ${where}.`, {
    help: `Install it, or give it that repository: ${page}. GITHUB_REPOSITORIES lists what is worked for.`,
    cause,
  })
}
