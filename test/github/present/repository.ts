import { isAtLeast, type Level } from '../model/permissions.ts'
import type { RepositoryRecord } from '../model/state.ts'
import { nodeId } from '../node-id.ts'
import type { World } from '../world.ts'
import { presentAccount } from './accounts.ts'

export function presentRepository(world: World, repository: RepositoryRecord, level?: Level) {
  const { origin } = world
  const url = `${origin}/api/v3/repos/${repository.fullName}`
  return {
    id: repository.id,
    node_id: nodeId('Repository', repository.id),
    name: repository.name,
    full_name: repository.fullName,
    private: repository.private,
    visibility: repository.private ? 'private' : 'public',
    owner: presentAccount(world, repository.owner),
    html_url: `${origin}/${repository.fullName}`,
    url,
    description: null,
    fork: repository.parent !== undefined,
    clone_url: `${origin}/${repository.fullName}.git`,
    git_url: `git://127.0.0.1/${repository.fullName}.git`,
    default_branch: repository.defaultBranch,
    created_at: repository.createdAt,
    updated_at: repository.createdAt,
    pushed_at: repository.createdAt,
    archived: false,
    disabled: false,
    is_template: false,
    topics: [],
    web_commit_signoff_required: false,
    ...(level && { permissions: presentLevel(level) }),
  }
}

/** What `permissions` of a repository say to somebody. */
function presentLevel(level: Level) {
  return {
    admin: isAtLeast(level, 'admin'),
    maintain: isAtLeast(level, 'maintain'),
    push: isAtLeast(level, 'write'),
    triage: isAtLeast(level, 'triage'),
    pull: isAtLeast(level, 'read'),
  }
}
