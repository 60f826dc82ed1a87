import type { DiffFile } from '../model/diff.ts'
import { gitOfCommits } from '../model/git.ts'
import { type Author, levelOf, type PullRecord, type RepositoryRecord } from '../model/state.ts'
import { nodeId } from '../node-id.ts'
import type { World } from '../world.ts'
import { presentAccount } from './accounts.ts'
import { presentRepository } from './repository.ts'

/** How an account relates to a repository, in GitHub's words. */
export function association(repository: RepositoryRecord, { account }: Author): string {
  if (account.id === repository.owner.id) return 'OWNER'
  return repository.levels.has(account.login.toLowerCase()) && levelOf(repository, account) !== 'none'
    ? 'COLLABORATOR'
    : 'NONE'
}

/** A `pull-request-simple`: what lists show. */
export function presentPullInList(world: World, pull: PullRecord) {
  const { repository } = pull
  const url = `${world.origin}/api/v3/repos/${repository.fullName}/pulls/${pull.number}`
  const htmlUrl = `${world.origin}/${repository.fullName}/pull/${pull.number}`
  const issueUrl = `${world.origin}/api/v3/repos/${repository.fullName}/issues/${pull.number}`
  return {
    id: pull.id,
    node_id: nodeId('PullRequest', pull.id),
    number: pull.number,
    state: pull.state,
    locked: false,
    draft: pull.draft,
    title: pull.title,
    body: pull.body,
    user: presentAccount(world, pull.author.account),
    author_association: association(repository, pull.author),
    created_at: pull.createdAt,
    updated_at: pull.updatedAt,
    closed_at: pull.closedAt,
    merged_at: pull.mergedAt,
    merge_commit_sha: pull.mergeCommit,
    assignees: [],
    requested_reviewers: [],
    requested_teams: [],
    base: presentEnd(world, repository, pull.base),
    head: presentEnd(world, pull.head.repository, pull.head),
    url,
    html_url: htmlUrl,
    diff_url: `${htmlUrl}.diff`,
    patch_url: `${htmlUrl}.patch`,
    issue_url: issueUrl,
    comments_url: `${issueUrl}/comments`,
    _links: {
      self: { href: url },
      html: { href: htmlUrl },
      issue: { href: issueUrl },
      comments: { href: `${issueUrl}/comments` },
      review_comments: { href: `${url}/comments` },
    },
  }
}

/** A `pull-request`. */
export function presentPull(world: World, pull: PullRecord) {
  const files = world.state.diff(pull)
  const range = `${pull.base.sha}..${pull.head.sha}`
  const posted = pull.threads.flatMap(({ comments }) => comments.filter(({ review }) => review.submittedAt))
  return {
    ...presentPullInList(world, pull),
    merged: pull.mergedAt !== null,
    mergeable: pull.state === 'open' ? true : null,
    rebaseable: pull.state === 'open' ? true : null,
    mergeable_state: pull.draft ? 'draft' : 'clean',
    merged_by: pull.mergedBy && presentAccount(world, pull.mergedBy.account),
    comments: pull.comments.length,
    review_comments: posted.length,
    commits: Number(gitOfCommits(pull.repository.directory, ['rev-list', '--count', range])),
    additions: files.reduce((sum, { additions }) => sum + additions, 0),
    deletions: files.reduce((sum, { deletions }) => sum + deletions, 0),
    changed_files: files.length,
    maintainer_can_modify: false,
  }
}

/** An `issue`: what a pull request is where it is talked about. */
export function presentIssue(world: World, pull: PullRecord) {
  const { url, html_url, diff_url, patch_url, issue_url, ...shown } = presentPullInList(world, pull)
  const { number, title, state, body, draft, user, author_association, locked } = shown
  const { created_at, updated_at, closed_at } = shown
  return {
    id: pull.id + 1,
    node_id: nodeId('PullRequest', pull.id),
    number,
    title,
    state,
    body,
    draft,
    locked,
    user,
    author_association,
    created_at,
    updated_at,
    closed_at,
    url: issue_url,
    html_url,
    assignees: [],
    comments: pull.comments.length,
    pull_request: { url, html_url, diff_url, patch_url, merged_at: pull.mergedAt },
  }
}

function presentEnd(world: World, repository: RepositoryRecord, { ref, sha }: { ref: string; sha: string }) {
  return {
    label: `${repository.owner.login}:${ref}`,
    ref,
    sha,
    user: presentAccount(world, repository.owner),
    repo: presentRepository(world, repository),
  }
}

/** A `diff-entry`. */
export function presentFile(world: World, repository: RepositoryRecord, head: string, file: DiffFile) {
  const path = file.path.split('/').map(encodeURIComponent).join('/')
  const at = repository.fullName
  return {
    sha: file.sha,
    filename: file.path,
    ...(file.previousPath !== undefined && { previous_filename: file.previousPath }),
    status: file.status,
    additions: file.additions,
    deletions: file.deletions,
    changes: file.additions + file.deletions,
    blob_url: `${world.origin}/${at}/blob/${head}/${path}`,
    raw_url: `${world.origin}/${at}/raw/${head}/${path}`,
    contents_url: `${world.origin}/api/v3/repos/${at}/contents/${path}?ref=${head}`,
    ...(file.patch !== undefined && { patch: file.patch }),
  }
}
