import { createAppAuth } from '@octokit/auth-app'
import { KodusError } from '../../lib/errors.ts'
import type { Octokit } from './octokit.ts'
import { splitRepository } from './repository-name.ts'

/** How long an installation is taken to be the one that covers a repository, and how many are remembered. */
const REMEMBERED_MS = 10 * 60_000
const MAX_REMEMBERED = 5_000
/** A token that git is to use must outlive a fetch. */
const MIN_GIT_LIFETIME_MS = 10 * 60_000

/** Where an App is installed, and the tokens it works with there. */
export interface Installations {
  /**
   * The installation that covers a repository.
   *
   * @throws KodusError GITHUB_NOT_INSTALLED; whatever keeps GitHub from answering
   */
  find(repository: string, signal?: AbortSignal): Promise<number>
  /** A token of an installation, kept for an hour. */
  token(installationId: number): Promise<string>
  /** A token in the place of one that GitHub did not take. */
  renew(installationId: number, refused: string): Promise<string>
  /** A token that can read one repository and nothing else. */
  readToken(installationId: number, repository: string): Promise<string>
}

/** @param app as the App itself: its requests carry a JWT, and fail with a KodusError */
export function createInstallations(app: Octokit, appId: number): Installations {
  const remembered = new Map<string, { id: number; until: number }>()
  const auth = createAppAuth({
    appId,
    request: app.request,
    log: app.log,
    // Never sent: `app` signs every request itself, by GitHub's clock.
    createJwt: async () => ({ jwt: 'unused', expiresAt: new Date().toISOString() }),
  })

  const tokenOf = async (installationId: number, scope: object) => {
    try {
      return await auth({ type: 'installation', installationId, ...scope })
    } catch (error) {
      if (!(error instanceof KodusError) || error.code !== 'GITHUB_NOT_FOUND') throw error
      // Uninstalled since, perhaps installed again under another id: the next attempt looks it up anew.
      for (const [name, { id }] of remembered) if (id === installationId) remembered.delete(name)
      throw notInstalled('there any more', error)
    }
  }

  const token = async (installationId: number) => (await tokenOf(installationId, {})).token

  return {
    async find(repository, signal) {
      const key = repository.toLowerCase()
      const known = remembered.get(key)
      if (known && known.until > Date.now()) return known.id
      const { id } = await lookUp(app, repository, signal)
      remembered.delete(key)
      remembered.set(key, { id, until: Date.now() + REMEMBERED_MS })
      for (const oldest of remembered.keys()) {
        if (remembered.size <= MAX_REMEMBERED) break
        remembered.delete(oldest)
      }
      return id
    },
    token,
    async renew(installationId, refused) {
      const current = await token(installationId)
      if (current !== refused) return current
      return (await tokenOf(installationId, { refresh: true })).token
    },
    async readToken(installationId, repository) {
      const { repo } = splitRepository(repository)
      const scope = { repositoryNames: [repo], permissions: { contents: 'read' } }
      let first: Awaited<ReturnType<typeof tokenOf>>
      try {
        first = await tokenOf(installationId, scope)
      } catch (error) {
        if (!(error instanceof KodusError) || error.code !== 'GITHUB_REFUSED') throw error
        if (/permissions requested/i.test(error.message)) throw noContents(error)
        // A token cannot be narrowed to a repository by the name that it had before.
        return await token(installationId)
      }
      if (Date.parse(first.expiresAt) - Date.now() > MIN_GIT_LIFETIME_MS) return first.token
      return (await tokenOf(installationId, { ...scope, refresh: true })).token
    },
  }
}

async function lookUp(app: Octokit, repository: string, signal?: AbortSignal): Promise<{ id: number }> {
  try {
    const { data } = await app.request('GET /repos/{owner}/{repo}/installation', {
      ...splitRepository(repository),
      request: { signal },
    })
    return data
  } catch (error) {
    if (!(error instanceof KodusError) || error.code !== 'GITHUB_NOT_FOUND') throw error
    throw notInstalled(`for ${repository}`, error)
  }
}

function notInstalled(where: string, { cause }: KodusError): KodusError {
  return new KodusError('GITHUB_NOT_INSTALLED', `The GitHub App is not installed ${where}.`, {
    help: "Install it from the App's page and let it have this repository, or take the repository's webhook away.",
    cause,
  })
}

function noContents({ cause }: KodusError): KodusError {
  return new KodusError('GITHUB_FORBIDDEN', 'The GitHub App may not read the code of the repositories.', {
    help: "It needs the permission contents: read. Grant it on the App's page, and accept it where the App is installed.",
    cause,
  })
}
