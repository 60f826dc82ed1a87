import { copyCommit, git, gitOfCommits, resolve, setReference } from '../model/git.ts'
import type { Author, PullRecord, RepositoryRecord } from '../model/state.ts'
import { presentPull } from '../present/pulls.ts'
import type { World } from '../world.ts'

// What happens to pull requests, whoever makes it happen.

export interface NewPull {
  head: { repository: RepositoryRecord; ref: string }
  base: string
  title: string
  body: string | null
  draft: boolean
}

export function openPull(
  world: World,
  repository: RepositoryRecord,
  author: Author,
  { head, base, title, body, draft }: NewPull,
): PullRecord {
  const now = world.clock.timestamp()
  const number = repository.nextNumber
  repository.nextNumber += 1
  const pull: PullRecord = {
    id: world.state.nextId(),
    repository,
    number,
    author,
    title,
    body,
    state: 'open',
    draft,
    mergedAt: null,
    mergedBy: null,
    mergeCommit: null,
    base: { ref: base, sha: branchTip(repository, base) },
    head: { ...head, sha: branchTip(head.repository, head.ref) },
    createdAt: now,
    updatedAt: now,
    closedAt: null,
    comments: [],
    reviews: [],
    threads: [],
  }
  repository.pulls.set(number, pull)
  keepHead(pull)
  tell(world, pull, 'opened', author, { number })
  return pull
}

/** Moves a branch, and with it the head of every open pull request that comes from it. */
export function pushBranch(
  world: World,
  repository: RepositoryRecord,
  { branch, commit, by }: { branch: string; commit: string; by: Author },
): void {
  setReference(repository.directory, `refs/heads/${branch}`, commit)
  for (const { pulls } of world.state.repositories.values()) {
    for (const pull of pulls.values()) {
      const { head } = pull
      if (pull.state !== 'open' || head.repository !== repository || head.ref !== branch) continue
      if (head.sha !== commit) moveHead(world, pull, commit, by)
    }
  }
}

function moveHead(world: World, pull: PullRecord, commit: string, by: Author): void {
  const before = pull.head.sha
  pull.head.sha = commit
  pull.base.sha = branchTip(pull.repository, pull.base.ref)
  keepHead(pull)
  touch(world, pull)
  tell(world, pull, 'synchronize', by, { before, after: commit })
}

export function closePull(world: World, pull: PullRecord, by: Author): void {
  pull.state = 'closed'
  pull.closedAt = world.clock.timestamp()
  touch(world, pull)
  tell(world, pull, 'closed', by)
}

/** A head that was pushed meanwhile is the head from now on. */
export function reopenPull(world: World, pull: PullRecord, by: Author): void {
  pull.state = 'open'
  pull.closedAt = null
  pull.head.sha = branchTip(pull.head.repository, pull.head.ref)
  keepHead(pull)
  touch(world, pull)
  tell(world, pull, 'reopened', by)
}

export function mergePull(world: World, pull: PullRecord, by: Author): string {
  const { directory } = pull.repository
  const base = branchTip(pull.repository, pull.base.ref)
  const tree = git(directory, ['merge-tree', '--write-tree', base, pull.head.sha])
  const message = `Merge pull request #${pull.number}`
  const commit = git(directory, ['commit-tree', tree, '-p', base, '-p', pull.head.sha, '-m', message])
  pull.mergedAt = world.clock.timestamp()
  pull.mergedBy = by
  pull.mergeCommit = commit
  closePull(world, pull, by)
  pushBranch(world, pull.repository, { branch: pull.base.ref, commit, by })
  return commit
}

export function setDraft(world: World, pull: PullRecord, draft: boolean, by: Author): void {
  pull.draft = draft
  touch(world, pull)
  tell(world, pull, draft ? 'converted_to_draft' : 'ready_for_review', by)
}

export function editPull(
  world: World,
  pull: PullRecord,
  change: { title?: string; body?: string | null; base?: string },
  by: Author,
): void {
  const changes: Record<string, unknown> = {}
  if (change.title !== undefined && change.title !== pull.title) {
    changes.title = { from: pull.title }
    pull.title = change.title
  }
  if (change.body !== undefined && change.body !== pull.body) {
    changes.body = { from: pull.body }
    pull.body = change.body
  }
  if (change.base !== undefined && change.base !== pull.base.ref) {
    changes.base = { ref: { from: pull.base.ref }, sha: { from: pull.base.sha } }
    pull.base = { ref: change.base, sha: branchTip(pull.repository, change.base) }
  }
  touch(world, pull)
  tell(world, pull, 'edited', by, { changes })
}

/** Something was done to it. */
export function touch(world: World, pull: PullRecord): void {
  pull.updatedAt = world.clock.timestamp()
}

export function branchTip(repository: RepositoryRecord, branch: string): string {
  const commit = resolve(repository.directory, `refs/heads/${branch}`)
  if (!commit) throw new Error(`${repository.fullName} has no branch ${branch}`)
  return commit
}

/** Whether a commit is one of those that the pull request would merge. */
export function belongsTo(pull: PullRecord, commit: string): boolean {
  if (!/^[0-9a-f]{40}$/.test(commit)) return false
  const range = `${pull.base.sha}..${pull.head.sha}`
  return gitOfCommits(pull.repository.directory, ['rev-list', range]).split('\n').includes(commit)
}

/** `refs/pull/N/head`: what makes a fork's commits readable here. */
function keepHead({ repository, head, number }: PullRecord): void {
  copyCommit(head.repository.directory, repository.directory, head.sha, `refs/pull/${number}/head`)
}

function tell(
  world: World,
  pull: PullRecord,
  action: string,
  sender: Author,
  more: Record<string, unknown> = {},
): void {
  const shown = world.description.complete('pull-request', presentPull(world, pull))
  const payload = { number: pull.number, pull_request: shown, ...more }
  world.outbox.emit({ name: 'pull_request', action, repository: pull.repository, sender, payload })
}
