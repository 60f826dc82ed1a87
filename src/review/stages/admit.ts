import type { PullRequest, PullRequests, Verdict } from '../../forges/forge.ts'
import type { ReviewRequest } from '../../jobs/review-request.ts'
import { KodusError } from '../../lib/errors.ts'
import { finish, proceed, type Stage, type StageOutcome, skip } from '../stage.ts'
import { superseded } from '../superseded.ts'
import { wordsFor } from '../words/index.ts'

/**
 * Decides whether this is to be reviewed at all, before anything is fetched or paid for: the operator's
 * allowlist, then whether the request is still about the newest head, then what people said. Somebody with a
 * write permission who asks for a review gets it.
 */
export const admit: Stage = {
  name: 'admit',
  async run(draft, ports) {
    const { request } = draft
    const { pullRequests } = ports.forge
    if (!pullRequests || request.pullRequest === null) return skip('there is no pull request to ask about')
    if (!pullRequests.isAllowed(request.repository)) throw notAllowed(request.repository)

    const now = await pullRequests.get(request.repository, request.pullRequest, ports.signal)
    const known = await ports.observe(now)
    if (known.state !== 'open' || known.head !== request.head) throw superseded(known)
    draft.request = upToDate(request, now)

    if (request.approvedBy) return proceed
    if (known.hold) return onHold(known.hold)
    return await admitAuthor(now, pullRequests, ports.signal)
  },
}

/** A title or a base may have been edited since the webhook; the head is what was asked for. */
function upToDate(request: ReviewRequest, now: PullRequest): ReviewRequest {
  const { title, description, draft, base, baseBranch, headBranch } = now
  return { ...request, title, description, draft, base, baseBranch, branch: headBranch }
}

function onHold(hold: 'paused' | 'ignored'): StageOutcome {
  if (hold === 'ignored') return finish('a person told the reviewer to ignore this pull request', null)
  return finish('a person paused the reviews of this pull request', neutral(wordsFor().paused))
}

async function admitAuthor(
  { repository, author, byApp, fromFork, headOwner }: PullRequest,
  pullRequests: PullRequests,
  signal: AbortSignal,
): Promise<StageOutcome> {
  const policy = pullRequests.outsideChanges
  // An App has no role to ask for (Dependabot, Renovate); only one that may write gets a branch into the repository.
  if (byApp && !fromFork) return proceed
  if (policy === 'review') return proceed
  // Anybody may open a pull request of somebody else's fork, and it is its owner who goes on pushing there.
  const people = [...new Set([author, (fromFork && headOwner) || author])]
  const mayWrite = await Promise.all(people.map((one) => pullRequests.canWrite(repository, one, signal)))
  const outsider = people[mayWrite.indexOf(false)]
  if (outsider === undefined) return proceed
  const reason = `${outsider} may not write to ${repository}`
  if (policy === 'ignore') return finish(`${reason}: ignored (GITHUB_OUTSIDE_CHANGES)`, null)
  return finish(`${reason}: waits for a maintainer (GITHUB_OUTSIDE_CHANGES)`, neutral(wordsFor().waits), {
    waits: true,
  })
}

function neutral(words: Pick<Verdict, 'title' | 'summary'>): Verdict {
  return { conclusion: 'neutral', ...words }
}

function notAllowed(repository: string): KodusError {
  return new KodusError('REPOSITORY_NOT_ALLOWED', `${repository} is not on this installation's allowlist.`, {
    help: 'Add it, or its owner, to GITHUB_REPOSITORIES; or take it out of the GitHub App or webhook.',
  })
}
