import { gitOfCommits } from '../model/git.ts'
import type { RepositoryRecord } from '../model/state.ts'
import type { World } from '../world.ts'

/** A `commit`. */
export function presentCommit(world: World, repository: RepositoryRecord, sha: string) {
  const shown = gitOfCommits(repository.directory, ['show', '--no-patch', '--format=%T%n%P%n%B', sha])
  const [tree = '', parents = '', ...message] = shown.split('\n')
  const url = `${world.origin}/api/v3/repos/${repository.fullName}`
  return {
    sha,
    url: `${url}/commits/${sha}`,
    html_url: `${world.origin}/${repository.fullName}/commit/${sha}`,
    commit: { message: message.join('\n').trim(), tree: { sha: tree, url: `${url}/git/trees/${tree}` } },
    parents: parents
      .split(' ')
      .filter(Boolean)
      .map((parent) => ({ sha: parent, url: `${url}/commits/${parent}` })),
  }
}
