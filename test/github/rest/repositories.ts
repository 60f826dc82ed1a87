import { diffSinceMergeBase, mergeBase } from '../model/diff.ts'
import { git, resolve } from '../model/git.ts'
import { isAtLeast, type Level } from '../model/permissions.ts'
import { levelOf } from '../model/state.ts'
import { presentAccount } from '../present/accounts.ts'
import { presentCommit } from '../present/commit.ts'
import { presentFile } from '../present/pulls.ts'
import { presentRepository } from '../present/repository.ts'
import { notFound, Refusal } from '../refusal.ts'
import { authorOf, inRepository, ok, page, type RepositoryExchange, type Route, reading } from './exchange.ts'

/** `permission` knows no more than these; `role_name` tells the rest. */
const LEGACY: Record<Level, string> = {
  admin: 'admin',
  maintain: 'write',
  write: 'write',
  triage: 'read',
  read: 'read',
  none: 'none',
}

/** GitHub compares no more files than these, without a word. */
const MAX_COMPARED_FILES = 300

export const repositories: Route[] = [
  inRepository('GET /repos/{owner}/{repo}', reading('metadata=read'), ({ world, actor, repository }) => {
    const level = actor.kind === 'user' ? levelOf(repository, actor.author.account) : undefined
    return ok(presentRepository(world, repository, level))
  }),

  inRepository(
    'GET /repos/{owner}/{repo}/collaborators/{username}/permission',
    reading('metadata=read'),
    (exchange) => {
      const { world, actor, repository, params } = exchange
      if (actor.kind !== 'installation') checkMayPush(exchange)
      const account = world.state.accounts.get(String(params.username).toLowerCase())
      if (!account) throw notFound()
      const level = levelOf(repository, account)
      return ok({
        permission: LEGACY[level],
        role_name: level,
        user: level === 'none' ? null : { ...presentAccount(world, account), role_name: level },
      })
    },
  ),

  inRepository(
    'GET /repos/{owner}/{repo}/branches/{branch}',
    reading('contents=read'),
    ({ world, repository, params }) => {
      const commit = resolve(repository.directory, `refs/heads/${params.branch}`)
      if (!commit) throw new Refusal(404, 'Branch not found')
      const url = `${world.origin}/api/v3/repos/${repository.fullName}`
      return ok({
        name: params.branch,
        commit: { sha: commit, url: `${url}/commits/${commit}`, commit: {} },
        protected: false,
      })
    },
  ),

  inRepository(
    'GET /repos/{owner}/{repo}/commits/{ref}',
    reading('contents=read'),
    ({ world, repository, params }) => {
      const sha = resolve(repository.directory, String(params.ref))
      if (!sha) throw new Refusal(422, `No commit found for SHA: ${params.ref}`)
      return ok(presentCommit(world, repository, sha))
    },
  ),

  inRepository('GET /repos/{owner}/{repo}/compare/{basehead}', reading('contents=read'), (exchange) => {
    const { world, repository, params, query } = exchange
    const { directory } = repository
    const [base, head] = String(params.basehead)
      .split('...')
      .map((revision) => resolve(directory, revision))
    if (!base || !head) throw notFound()
    const ahead = git(directory, ['rev-list', '--reverse', `${base}..${head}`])
      .split('\n')
      .filter(Boolean)
    const behind = Number(git(directory, ['rev-list', '--count', `${head}..${base}`]))
    const diverged = ahead.length > 0 && behind > 0
    const url = `${world.origin}/api/v3/repos/${repository.fullName}/compare/${base}...${head}`
    const files = diffSinceMergeBase(directory, base, head).slice(0, MAX_COMPARED_FILES)
    return page(
      exchange,
      ahead,
      (sha) => presentCommit(world, repository, sha),
      (commits) => ({
        status: diverged ? 'diverged' : ahead.length > 0 ? 'ahead' : behind > 0 ? 'behind' : 'identical',
        ahead_by: ahead.length,
        behind_by: behind,
        total_commits: ahead.length,
        base_commit: presentCommit(world, repository, base),
        merge_base_commit: presentCommit(world, repository, mergeBase(directory, base, head)),
        url,
        commits,
        // The pages are of commits: the files are all on the first.
        ...(Number(query.page ?? 1) === 1 && {
          files: files.map((file) => presentFile(world, repository, head, file)),
        }),
      }),
    )
  }),
]

function checkMayPush(exchange: RepositoryExchange): void {
  const level = levelOf(exchange.repository, authorOf(exchange).account)
  if (!isAtLeast(level, 'write')) {
    throw new Refusal(403, 'Must have push access to view collaborator permission.')
  }
}
