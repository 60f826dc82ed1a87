/** What an App may be permitted for a repository, as far as this server knows of it. */
export type Permission =
  | 'metadata'
  | 'contents'
  | 'pull_requests'
  | 'issues'
  | 'checks'
  | 'statuses'
  | 'repository_hooks'
export type Access = 'read' | 'write'
export type AppPermissions = Partial<Record<Permission, Access>>
/** `pull_requests=write`: GitHub's notation in `x-accepted-github-permissions`. */
export type Requirement = `${Permission}=${Access}`

/** What an account may do in a repository, in the API's words. */
export type Level = 'admin' | 'maintain' | 'write' | 'triage' | 'read' | 'none'

const LEVELS: readonly Level[] = ['none', 'read', 'triage', 'write', 'maintain', 'admin']

export function isAtLeast(level: Level, needed: Level): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(needed)
}

/** Whether permissions fulfil one of these requirements; none means that anybody may. */
export function permits(granted: AppPermissions, anyOf: readonly Requirement[]): boolean {
  return (
    anyOf.length === 0 ||
    anyOf.some((requirement) => {
      const [name, access] = requirement.split('=') as [Permission, Access]
      return granted[name] === 'write' || granted[name] === access
    })
  )
}
