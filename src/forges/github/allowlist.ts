import { KodusError } from '../../lib/errors.ts'
import { isOwner, isRepository } from './repository-name.ts'

/**
 * Whether the operator lets this installation work for a repository. GitHub's names are the same in any case.
 *
 * @param entries as `checkAllowlist` returned them; none: whatever the credentials reach
 */
export function isAllowed(entries: readonly string[], repository: string): boolean {
  if (entries.length === 0) return true
  const name = repository.toLowerCase()
  return entries.some((entry) => name === entry || name.startsWith(`${entry}/`))
}

/**
 * The entries of an allowlist as they are compared.
 *
 * @param source where they were given, for the message
 * @throws KodusError CONFIG_INVALID for anything but `owner` and `owner/name`: a list with a mistake in it must
 *   not silently allow less, or more, than its author meant
 */
export function checkAllowlist(entries: readonly string[], source = 'GITHUB_REPOSITORIES'): string[] {
  return entries.map((entry) => {
    if (isOwner(entry) || isRepository(entry)) return entry.toLowerCase()
    throw new KodusError(
      'CONFIG_INVALID',
      `${source} has the entry ${JSON.stringify(entry)}, which is neither an owner nor owner/name.`,
      {
        help: 'List owners (all their repositories) and single repositories, separated by commas: acme, kodus/app.',
      },
    )
  })
}
