import type { GitHubClient } from '../../forges/github/client.ts'
import { splitRepository } from '../../forges/github/repository-name.ts'
import { KodusError } from '../../lib/errors.ts'

/**
 * Asks GitHub whether a token can do the work in a repository, as far as GitHub tells without being written to:
 * what a classic token may do is told, and what its owner may do; what a fine-grained one may write is not.
 *
 * @throws KodusError SETUP_FORBIDDEN, SETUP_RENAMED, GITHUB_NOT_FOUND, GITHUB_FORBIDDEN naming the permission
 */
export async function inspectRepository(
  client: GitHubClient,
  repository: string,
): Promise<{ kind: 'classic' | 'fine-grained' }> {
  const octokit = await client.forRepository(repository)
  const where = splitRepository(repository)
  const { data, headers } = await octokit.request('GET /repos/{owner}/{repo}', where)
  if (data.full_name.toLowerCase() !== repository.toLowerCase()) {
    throw new KodusError('SETUP_RENAMED', `${repository} is called ${data.full_name} now.`, {
      help: 'List it by that name: its webhooks will be sent under it.',
    })
  }
  if (!data.permissions?.push) {
    throw forbidden(
      `The token's owner may not write to ${repository}.`,
      'Give that account the role Write: GitHub tells only those who may write who else may, and lets only them resolve threads.',
    )
  }
  // Sent for classic tokens alone, even where they have none.
  const told = headers['x-oauth-scopes']
  const scopes = told === undefined ? undefined : String(told).split(/,\s*/)
  if (scopes && !scopes.includes('repo') && !(scopes.includes('public_repo') && !data.private)) {
    throw forbidden(
      `The token lacks the scope ${data.private ? 'repo' : 'public_repo'}.`,
      'Make a classic token with the scope repo, or a fine-grained one with the permissions in docs/github.md.',
    )
  }
  await octokit.request('GET /repos/{owner}/{repo}/pulls', { ...where, per_page: 1 })
  await readCode(octokit, { ...where, branch: data.default_branch })
  return { kind: scopes ? 'classic' : 'fine-grained' }
}

async function readCode(
  octokit: Awaited<ReturnType<GitHubClient['forRepository']>>,
  place: { owner: string; repo: string; branch: string },
): Promise<void> {
  try {
    await octokit.request('GET /repos/{owner}/{repo}/branches/{branch}', place)
  } catch (error) {
    // An empty repository has no branch yet.
    if (!(error instanceof KodusError) || error.code !== 'GITHUB_NOT_FOUND') throw error
  }
}

function forbidden(message: string, help: string): KodusError {
  return new KodusError('SETUP_FORBIDDEN', message, { help })
}
