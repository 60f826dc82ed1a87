import { KodusError } from '../../lib/errors.ts'

const OWNER = /^[A-Za-z0-9_][A-Za-z0-9_-]{0,99}$/
const NAME = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/

/**
 * `owner/name`, taken apart as GitHub's API wants it.
 *
 * @throws KodusError GITHUB_REPOSITORY_INVALID for what GitHub could not have called a repository
 */
export function splitRepository(repository: string): { owner: string; repo: string } {
  const [owner = '', repo = '', ...rest] = repository.split('/')
  if (isOwner(owner) && NAME.test(repo) && rest.length === 0) return { owner, repo }
  throw new KodusError(
    'GITHUB_REPOSITORY_INVALID',
    `${JSON.stringify(repository.slice(0, 200))} is no repository of GitHub.`,
    { help: 'Name it as owner/name.' },
  )
}

/** Whether a repository is named so that GitHub could have named it. */
export function isRepository(text: string): boolean {
  const [owner = '', repo = '', ...rest] = text.split('/')
  return isOwner(owner) && NAME.test(repo) && rest.length === 0
}

export function isOwner(text: string): boolean {
  return OWNER.test(text)
}
