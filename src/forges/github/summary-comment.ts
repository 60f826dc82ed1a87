import { markedBody } from './bodies.ts'
import { listAll, PER_PAGE } from './list-all.ts'
import { hasCode, isOurs, type PullRequestPlace } from './pull-request-place.ts'

/** Between a notice and the summary of the last review below it. */
const NOTICE_ENDS = '\n\n<!-- kodus:notice ends -->\n'

/**
 * Sees to it that the pull request has one comment from us with this text: creates it, or rewrites the one
 * that is there. If two came to be, the older stays.
 *
 * @returns its address for people
 */
export async function putSummary(place: PullRequestPlace, summary: string): Promise<string> {
  return await rewrite(place, () => summary)
}

/** Says something above the summary, in the place of what was said there before. The next summary replaces it. */
export async function putNotice(place: PullRequestPlace, notice: string): Promise<void> {
  const marker = place.markers.write('summary')
  await rewrite(place, (now) => {
    const [first = '', ...below] = now?.slice(marker.length + 1).split(NOTICE_ENDS) ?? []
    const summary = below.length > 0 ? below.join(NOTICE_ENDS) : first
    return `${notice}${NOTICE_ENDS}${summary}`
  })
}

/** @param text gets the whole body of the comment that is there */
async function rewrite(place: PullRequestPlace, text: (now: string | undefined) => string): Promise<string> {
  const { octokit, repository, issue, markers } = place
  const [kept, ...others] = (await listConversation(place))
    .filter((comment) => isOurs(place, comment) && markers.read('summary', comment.body))
    .sort((a, b) => Number(a.id) - Number(b.id))

  for (const { id } of others) {
    await unlessDeleted(
      octokit.request('DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}', {
        ...repository,
        comment_id: Number(id),
      }),
    )
  }
  const body = markedBody(markers.write('summary'), text(kept?.body))
  if (kept?.body === body) return kept.html_url
  const rewritten =
    kept &&
    (await unlessDeleted(
      octokit.request('PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}', {
        ...repository,
        comment_id: Number(kept.id),
        body,
      }),
    ))
  if (rewritten) return rewritten.data.html_url
  const { data } = await octokit.request('POST /repos/{owner}/{repo}/issues/{issue_number}/comments', {
    ...issue,
    body,
  })
  return data.html_url
}

/** The comments that stand at no line of the change, oldest first. */
export function listConversation({ octokit, issue }: PullRequestPlace) {
  return listAll(async (page) => {
    const { data, headers } = await octokit.request(
      'GET /repos/{owner}/{repo}/issues/{issue_number}/comments',
      { ...issue, per_page: PER_PAGE, page },
    )
    return { items: data, headers }
  })
}

async function unlessDeleted<Answer>(request: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await request
  } catch (error) {
    if (hasCode(error, 'GITHUB_NOT_FOUND')) return undefined
    throw error
  }
}
