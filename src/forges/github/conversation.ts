import type { Conversation } from '../forge.ts'
import { markedBody } from './bodies.ts'
import type { GitHubClient } from './client.ts'
import { listAll, PER_PAGE } from './list-all.ts'
import { findPlace, hasCode, isOurs, type PullRequestPlace } from './pull-request-place.ts'
import { listConversation } from './summary-comment.ts'
import { listFindingThreads, reply, setResolved } from './threads.ts'

/** Talks on pull requests of GitHub, in the conversation and in the threads at lines. */
export function createGitHubConversation(options: { client: GitHubClient; markerKey: Buffer }): Conversation {
  return {
    async answer({ repository, pullRequest, comment }, key, body, signal) {
      const place = await findPlace(options, { repository, pullRequest }, signal)
      const isAnswer = (each: { user?: { id: number | bigint } | null; body?: string }) =>
        isOurs(place, each) && place.markers.read('answer', each.body)?.[0] === key

      if (comment.place === 'thread') {
        if ((await listReviewComments(place)).some(isAnswer)) return
        return await reply(place, comment.threadId ?? comment.id, key, body)
      }
      if ((await listConversation(place)).some(isAnswer)) return
      await place.octokit.request('POST /repos/{owner}/{repo}/issues/{issue_number}/comments', {
        ...place.issue,
        body: markedBody(place.markers.write('answer', key), body),
      })
    },
    async dismissThread({ repository, pullRequest, threadId }, signal) {
      const place = await findPlace(options, { repository, pullRequest }, signal)
      const thread = (await listFindingThreads(place)).find(({ rootId }) => rootId === threadId)
      if (thread && !thread.isResolved) await resolveIfAllowed(place, thread.id)
      return thread?.findingId
    },
  }
}

/** That the finding is forgotten does not depend on it. */
async function resolveIfAllowed(place: PullRequestPlace, id: string): Promise<void> {
  try {
    await setResolved(place, id, true)
  } catch (error) {
    if (!hasCode(error, 'GITHUB_FORBIDDEN')) throw error
  }
}

function listReviewComments({ octokit, pull }: PullRequestPlace) {
  return listAll(async (page) => {
    const { data, headers } = await octokit.request(
      'GET /repos/{owner}/{repo}/pulls/{pull_number}/comments',
      {
        ...pull,
        per_page: PER_PAGE,
        page,
      },
    )
    return { items: data, headers }
  })
}
