import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { openPull, pushBranch } from '../acts/pulls.ts'
import { createBareRepository, git, resolve, setReference, storeCommit } from '../model/git.ts'
import type { Author, RepositoryRecord } from '../model/state.ts'
import { presentCheckRun } from '../present/check-runs.ts'
import { runsOf } from '../rest/check-runs.ts'
import type { CreateRepositoryOptions, Repository } from '../server.ts'
import type { World } from '../world.ts'
import { drivePull } from './pull-request.ts'

/** Creates a repository on disk and in this GitHub. */
export function createRepository(
  world: World,
  root: string,
  fullName: string,
  {
    files = { 'README.md': `# ${fullName}\n` },
    private: isPrivate = true,
    installed = true,
  }: CreateRepositoryOptions,
): Repository {
  const record = addRepository(world, root, fullName, { private: isPrivate, installed })
  createBareRepository(record.directory)
  const { directory, defaultBranch } = record
  const commit = storeCommit(directory, { files, message: 'Begin', date: world.clock.now() })
  setReference(directory, `refs/heads/${defaultBranch}`, commit)
  if (installed) install(world, record)
  return driveRepository(world, root, record)
}

/** The handle of a repository, for tests to act with as people do. */
export function driveRepository(world: World, root: string, record: RepositoryRecord): Repository {
  const { directory, fullName } = record
  const by = (login = record.owner.login): Author => ({ account: world.state.account(login), viaApp: false })
  const handle: Repository = {
    fullName,
    url: `${world.origin}/${fullName}.git`,
    directory,
    git: (...args) => git(directory, args),
    head(branch) {
      const commit = resolve(directory, `refs/heads/${branch}`)
      if (!commit) throw new Error(`${fullName} has no branch ${branch}`)
      return commit
    },
    commit(branch, files, { onto, message = 'Change', by: login } = {}) {
      const tip = resolve(directory, `refs/heads/${branch}`) ?? handle.head(record.defaultBranch)
      const date = world.clock.now()
      const commit = storeCommit(directory, { parent: onto ?? tip, files, message, date })
      pushBranch(world, record, { branch, commit, by: by(login) })
      return commit
    },
    push: (branch, commit, options) => pushBranch(world, record, { branch, commit, by: by(options?.by) }),
    fork(owner) {
      const options = { private: record.private, installed: false }
      const copy = addRepository(world, root, `${owner}/${record.name}`, options)
      copy.parent = record
      copy.levels.set(record.owner.login.toLowerCase(), 'read')
      createBareRepository(copy.directory)
      git(copy.directory, ['fetch', '--quiet', directory, '+refs/heads/*:refs/heads/*'])
      // Who forks a private repository can read it.
      if (record.private && !record.levels.has(owner.toLowerCase())) {
        record.levels.set(owner.toLowerCase(), 'read')
      }
      return driveRepository(world, root, copy)
    },
    openPullRequest({
      head,
      from,
      base = record.defaultBranch,
      title = head,
      body = null,
      draft = false,
      author,
    }) {
      const headRepository = from ? recordOf(world, from) : record
      const pull = openPull(world, record, by(author ?? headRepository.owner.login), {
        head: { repository: headRepository, ref: head },
        base,
        title,
        body,
        draft,
      })
      return drivePull(world, handle, pull)
    },
    pullRequest(number) {
      const pull = record.pulls.get(number)
      if (!pull) throw new Error(`${fullName} has no pull request ${number}`)
      return drivePull(world, handle, pull)
    },
    setPermission(login, level) {
      world.state.account(login)
      if (level === 'none') record.levels.delete(login.toLowerCase())
      else record.levels.set(login.toLowerCase(), level)
    },
    checkRuns: (sha) =>
      runsOf(record, sha).map((run) => ({ ...presentCheckRun(world, run), annotations: run.annotations })),
  }
  return handle
}

function recordOf(world: World, { fullName }: Repository): RepositoryRecord {
  const [owner = '', name = ''] = fullName.split('/')
  const record = world.state.findRepository(owner, name)
  if (!record) throw new Error(`there is no repository ${fullName}`)
  return record
}

function addRepository(
  world: World,
  root: string,
  fullName: string,
  options: { private: boolean; installed: boolean },
): RepositoryRecord {
  const [owner = '', name = ''] = fullName.split('/')
  const { state, clock } = world
  if (state.findRepository(owner, name)) throw new Error(`there is a repository ${fullName} already`)
  const directory = path.join(root, owner, `${name}.git`)
  mkdirSync(path.dirname(directory), { recursive: true })
  const record: RepositoryRecord = {
    id: 500_000 + state.repositories.size,
    owner: state.account(owner),
    name,
    fullName,
    private: options.private,
    defaultBranch: 'main',
    directory,
    installed: options.installed,
    createdAt: clock.timestamp(),
    levels: new Map(),
    nextNumber: 1,
    pulls: new Map(),
    checkRuns: [],
    hooks: [],
  }
  state.repositories.set(fullName.toLowerCase(), record)
  return record
}

/** The App's installation on an owner, made when the owner's first repository needs it. */
export function install({ state, clock }: World, { owner }: RepositoryRecord): void {
  if (state.installations.some(({ account }) => account.id === owner.id)) return
  const createdAt = clock.timestamp()
  state.installations.push({ id: state.nextId(), account: owner, suspended: false, createdAt })
}
