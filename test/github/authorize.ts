import type { Actor } from './authenticate.ts'
import { isAtLeast, type Level, permits, type Requirement } from './model/permissions.ts'
import { levelOf, type RepositoryRecord } from './model/state.ts'
import { notFound, Refusal } from './refusal.ts'

/** What somebody has to be allowed in a repository. */
export interface RepositoryAccess {
  /** An App needs one of these. */
  app: Requirement[]
  /** An account needs this. */
  level: Level
  /** Accounts cannot do it at all: checks belong to Apps. */
  onlyApps?: boolean
}

/** Whether this repository exists, as far as somebody can see. */
export function canSee(actor: Actor, repository: RepositoryRecord): boolean {
  if (!repository.private) return true
  if (actor.kind === 'installation') return covers(actor, repository)
  return actor.kind === 'user' && isAtLeast(levelOf(repository, actor.author.account), 'read')
}

/** Whether an installation token reaches a repository. */
export function covers(actor: Actor & { kind: 'installation' }, repository: RepositoryRecord): boolean {
  const { installation, token } = actor
  const asked = token.repositories?.includes(repository.name) ?? true
  return repository.installed && repository.owner.id === installation.account.id && asked
}

/** @throws Refusal 404 for what one may not see, 403 for what one may not do */
export function authorize(actor: Actor, repository: RepositoryRecord, access: RepositoryAccess): void {
  if (!canSee(actor, repository)) throw notFound()
  const reads = access.app.every((requirement) => requirement.endsWith('=read'))
  switch (actor.kind) {
    case 'installation':
      if (!repository.private && reads) return
      if (covers(actor, repository) && permits(actor.permissions, access.app)) return
      throw inaccessible(access.app)
    case 'user':
      if (access.onlyApps) throw new Refusal(403, 'You must authenticate via a GitHub App.')
      if (isAtLeast(levelOf(repository, actor.author.account), access.level)) return
      throw new Refusal(403, 'Resource not accessible by personal access token')
    case 'anonymous':
      if (reads && access.level === 'read') return
      throw new Refusal(401, 'Requires authentication')
    case 'app':
      throw new Refusal(401, 'A JSON web token could not be decoded')
  }
}

export function inaccessible(accepted: Requirement[]): Refusal {
  return new Refusal(403, 'Resource not accessible by integration', {
    headers: { 'x-accepted-github-permissions': accepted.join('; ') },
  })
}
