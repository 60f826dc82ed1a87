import { type RightHunk, rightHunks } from './diff-positions.ts'
import { listAll, PER_PAGE } from './list-all.ts'
import { hasCode, type PullRequestPlace } from './pull-request-place.ts'

/** GitHub's own diff of a pull request at one head. */
export interface Diff {
  /** Whether the pull request is still at that head. */
  isCurrent: boolean
  /** What it shows of a file's right side: nothing of one that is binary, too large, or not changed. */
  hunks(path: string): readonly RightHunk[]
}

interface DiffFile {
  filename: string
  patch?: string
}

/**
 * GitHub's diff of the pull request at this head: by it alone GitHub decides where a comment may be. When the
 * pull request has moved on, the same diff is asked for by commits; where GitHub has lost that head by a
 * force-push, there is nothing to show and so no line for any comment.
 */
export async function readDiff(place: PullRequestPlace, head: string): Promise<Diff> {
  const { data: pull } = await place.octokit.request(
    'GET /repos/{owner}/{repo}/pulls/{pull_number}',
    place.pull,
  )
  const isCurrent = pull.head.sha === head
  const files = isCurrent ? await listFiles(place) : await compare(place, `${pull.base.sha}...${head}`)
  const byPath = new Map(files.map(({ filename, patch }) => [filename, rightHunks(patch ?? '')]))
  return { isCurrent, hunks: (path) => byPath.get(path) ?? [] }
}

/** GitHub lists 3,000 files at most; what is behind them is not in its diff. */
function listFiles({ octokit, pull }: PullRequestPlace): Promise<DiffFile[]> {
  return listAll(async (page) => {
    const { data, headers } = await octokit.request('GET /repos/{owner}/{repo}/pulls/{pull_number}/files', {
      ...pull,
      per_page: PER_PAGE,
      page,
    })
    return { items: data, headers }
  })
}

/** From the merge base. All files, 300 at most, are on the first page. */
async function compare({ octokit, repository }: PullRequestPlace, basehead: string): Promise<DiffFile[]> {
  try {
    const { data } = await octokit.request('GET /repos/{owner}/{repo}/compare/{basehead}', {
      ...repository,
      basehead,
      per_page: 1,
    })
    return data.files ?? []
  } catch (error) {
    if (hasCode(error, 'GITHUB_NOT_FOUND')) return []
    throw error
  }
}
