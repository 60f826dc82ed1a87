export interface Permission {
  /** As GitHub's API names it. */
  name: string
  access: 'read' | 'write'
  /** What it is needed for. */
  why: string
}

/** What the App, or a fine-grained token, is to be allowed to do, and what for. Nothing else is asked for. */
export const PERMISSIONS: readonly Permission[] = [
  { name: 'metadata', access: 'read', why: 'which repositories there are, and who may write to them' },
  {
    name: 'contents',
    access: 'write',
    // https://github.com/orgs/community/discussions/44650
    why: 'fetch base and head with git; resolve threads, for which GitHub asks for write. Nothing is pushed',
  },
  {
    name: 'pull_requests',
    access: 'write',
    why: 'post reviews, answer in threads, keep one summary comment',
  },
  { name: 'issues', access: 'read', why: 'be told of @kody in the conversation of a pull request' },
  { name: 'checks', access: 'write', why: 'show progress and the outcome as a check run' },
]

/** In the place of `contents: write`, for those who would rather resolve threads themselves. */
const CONTENTS_READ: Permission = { name: 'contents', access: 'read', why: 'fetch base and head with git' }

export function permissionsFor({ resolveThreads }: { resolveThreads: boolean }): readonly Permission[] {
  return PERMISSIONS.map((each) => (!resolveThreads && each.name === 'contents' ? CONTENTS_READ : each))
}

/** The events that ask for something. GitHub is asked to send no others. */
export const EVENTS = ['pull_request', 'issue_comment', 'pull_request_review_comment'] as const

/** The table of permissions, for a terminal. */
export function permissionLines(permissions: readonly Permission[]): string[] {
  const width = Math.max(...permissions.map(({ name }) => name.length))
  return permissions.map(({ name, access, why }) => `  ${name.padEnd(width)}  ${access.padEnd(5)}  ${why}`)
}

/** What reviews cannot do without, and GitHub does not say is granted. */
export function missingPermissions(granted: Readonly<Record<string, string | undefined>>): string[] {
  return permissionsFor({ resolveThreads: false })
    .filter(({ name, access }) => !['admin', 'write', access].includes(granted[name] ?? ''))
    .map(({ name, access }) => `${name}: ${access}`)
}
