import type { ReviewRequest } from '../../jobs/review-request.ts'
import { KodusError } from '../../lib/errors.ts'
import type { RemoteAccess } from '../../lib/git/environment.ts'
import type { MirrorCache } from '../../lib/git/mirror-cache.ts'
import { checkRef, isCommitId } from '../../lib/git/ref.ts'
import { locateRepository, type RemoteUrl } from '../../lib/git/remote.ts'
import { objectFormat } from '../../lib/git/scratch.ts'
import type { GitSettings } from '../../lib/git/settings.ts'
import type { ChangeReader } from '../forge.ts'
import { type FetchRange, openMirrored } from '../read-mirrored.ts'
import { withTextLimit } from '../read-range.ts'
import { isAllowed } from './allowlist.ts'
import type { GitHubClient } from './client.ts'
import type { GitHubConfig } from './config.ts'
import { splitRepository } from './repository-name.ts'

export interface GitHubReaderOptions {
  client: Pick<GitHubClient, 'gitToken'>
  config: Pick<GitHubConfig, 'gitOrigin' | 'repositories' | 'caFile'>
  mirrors: MirrorCache
  settings: GitSettings
}

/**
 * Reads changes of repositories at the one GitHub that is configured, by way of the mirrors that all jobs of
 * this process share. Its host is the operator's own choice, and is read whatever its address.
 */
export function createGitHubReader({ client, config, mirrors, settings }: GitHubReaderOptions): ChangeReader {
  const limited = withTextLimit(settings)
  return {
    async open(request, signal) {
      const remote = locate(config, request.repository)
      const names = namesOf(request)
      const access = async (): Promise<RemoteAccess> => ({
        remote,
        credential: { origin: remote.origin, token: await client.gitToken(request.repository) },
        caFile: config.caFile,
      })
      const format = objectFormat(request.head)
      const mirrored = { mirrors, url: remote.url, format, access }
      return await openMirrored(limited, request, mirrored, signal, (fetch) => fetchHead(fetch, names))
    },
  }
}

interface Names {
  base: string
  head: string
  /** Under which GitHub keeps the head, in the repository that the change wants to go to, forks included. */
  pullRef: string | undefined
}

/**
 * By its id, which GitHub hands out to whoever may read the repository. Where a server does not, by the pull
 * request's own ref, if that is still the commit that was asked for.
 *
 * @throws KodusError GIT_REF_NOT_FOUND
 */
async function fetchHead(fetch: FetchRange, { base, head, pullRef }: Names): ReturnType<FetchRange> {
  try {
    return await fetch({ base, head })
  } catch (error) {
    if (pullRef === undefined || !(error instanceof KodusError) || error.code !== 'GIT_REF_NOT_FOUND')
      throw error
  }
  const fetched = await fetch({ base, head: pullRef })
  if (fetched.range.head === head) return fetched
  throw new KodusError(
    'GIT_REF_NOT_FOUND',
    `The pull request has moved on: its head is ${fetched.range.head}, and ${head} is no longer to be had.`,
    { help: 'Nothing to do: the push that moved it has a review of its own.' },
  )
}

/** The base is the branch's tip, as in GitHub's own diff: the id a webhook names may be an old one. */
function namesOf({ base, baseBranch, head, pullRequest }: ReviewRequest): Names {
  if (!isCommitId(head)) {
    throw new KodusError('GIT_REF_REFUSED', `${JSON.stringify(head.slice(0, 80))} is no commit id.`, {
      help: 'GitHub names the head of a pull request by its full commit id.',
    })
  }
  return {
    base: checkRef(baseBranch ? `refs/heads/${baseBranch}` : base),
    head,
    pullRef: pullRequest && /^[1-9]\d{0,9}$/.test(pullRequest) ? `refs/pull/${pullRequest}/head` : undefined,
  }
}

function locate({ gitOrigin, repositories }: GitHubReaderOptions['config'], repository: string): RemoteUrl {
  const { owner, repo } = splitRepository(repository)
  if (!isAllowed(repositories, repository)) {
    throw new KodusError('REPOSITORY_NOT_ALLOWED', `${repository} is not on this installation's allowlist.`, {
      help: 'Add it to GITHUB_REPOSITORIES of the worker, if it is meant to be reviewed.',
    })
  }
  const location = locateRepository(`${gitOrigin}/${owner}/${repo}.git`, ['http'])
  if (location.at === 'url') return location.remote
  throw new Error(`${gitOrigin} is no origin`)
}
