import * as v from 'valibot'
import { KodusError } from '../../lib/errors.ts'
import type { PullRequest, PullRequests } from '../forge.ts'
import { MAX_DESCRIPTION_LENGTH, MAX_TITLE_LENGTH, nameSchema, proseSchema } from '../webhook-schema.ts'
import { isAllowed } from './allowlist.ts'
import type { GitHubClient } from './client.ts'
import type { GitHubConfig } from './config.ts'
import { badAnswer } from './errors.ts'
import { splitRepository } from './repository-name.ts'

const CommitId = v.pipe(v.string(), v.regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/))
const Repository = v.object({ id: v.number() })

/** Of what GitHub says of a pull request, the part that is read. */
const Pull = v.object({
  state: v.picklist(['open', 'closed']),
  merged: v.nullish(v.boolean(), false),
  draft: v.nullish(v.boolean(), false),
  title: proseSchema(MAX_TITLE_LENGTH),
  body: v.nullish(proseSchema(MAX_DESCRIPTION_LENGTH)),
  // Null where the account was deleted: GitHub shows it as `ghost`.
  user: v.nullish(v.object({ login: nameSchema(150), type: v.optional(v.string()) })),
  updated_at: v.pipe(v.string(), v.isoTimestamp()),
  base: v.object({ sha: CommitId, ref: nameSchema(1_000), repo: Repository }),
  // Its repository is null where the fork was deleted.
  head: v.object({
    sha: CommitId,
    ref: nameSchema(1_000),
    repo: v.nullish(v.object({ ...Repository.entries, owner: v.object({ login: nameSchema(150) }) })),
  }),
})

/** Pull requests and permissions by GitHub's REST API. */
export function createPullRequests({
  client,
  config,
}: {
  client: GitHubClient
  config: Pick<GitHubConfig, 'repositories' | 'outsideChanges'>
}): PullRequests {
  return {
    outsideChanges: config.outsideChanges,
    isAllowed: (repository) => isAllowed(config.repositories, repository),

    async get(repository, pullRequest, signal) {
      if (!/^[1-9]\d{0,9}$/.test(pullRequest)) throw notFound(repository, pullRequest)
      const octokit = await client.forRepository(repository, signal)
      const { data } = await octokit
        .request('GET /repos/{owner}/{repo}/pulls/{pull_number}', {
          ...splitRepository(repository),
          pull_number: Number(pullRequest),
        })
        .catch((error: unknown) => {
          throw isNotFound(error) ? notFound(repository, pullRequest, error.cause) : error
        })
      return toPullRequest(repository, pullRequest, data)
    },

    // By what GitHub calculates from all grants. `author_association` says MEMBER of people who may only read.
    async canWrite(repository, account, signal) {
      const octokit = await client.forRepository(repository, signal)
      try {
        const { data } = await octokit.request(
          'GET /repos/{owner}/{repo}/collaborators/{username}/permission',
          {
            ...splitRepository(repository),
            username: account,
          },
        )
        // `maintain` is told as `write`, `triage` as `read`, a role of the organisation's own as what it is based on.
        return data.permission === 'admin' || data.permission === 'write'
      } catch (error) {
        // Nobody of that name, or an App (`renovate[bot]`), which is no user and has no role.
        if (isNotFound(error)) return false
        throw error
      }
    },
  }
}

function toPullRequest(repository: string, pullRequest: string, data: unknown): PullRequest {
  const parsed = v.safeParse(Pull, data, { abortEarly: true })
  if (!parsed.success) {
    throw badAnswer(`described a pull request without a usable ${v.getDotPath(parsed.issues[0]) ?? 'body'}`)
  }
  const { base, head, merged, state, user, body, draft, title, updated_at: updatedAt } = parsed.output
  return {
    repository,
    pullRequest,
    state: merged ? 'merged' : state,
    draft,
    head: head.sha,
    base: base.sha,
    baseBranch: base.ref,
    headBranch: head.ref,
    title,
    description: body ?? '',
    author: user?.login ?? 'ghost',
    byApp: user?.type === 'Bot',
    fromFork: head.repo?.id !== base.repo.id,
    headOwner: head.repo?.owner.login ?? null,
    updatedAt,
  }
}

function isNotFound(error: unknown): error is KodusError {
  return error instanceof KodusError && error.code === 'GITHUB_NOT_FOUND'
}

function notFound(repository: string, pullRequest: string, cause?: unknown): KodusError {
  return new KodusError(
    'PULL_REQUEST_NOT_FOUND',
    `${repository} has no pull request ${pullRequest.slice(0, 20)} that GitHub shows us.`,
    { help: 'It or its repository was deleted, or the App or token lost its access.', cause },
  )
}
