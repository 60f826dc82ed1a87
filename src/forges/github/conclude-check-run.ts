import type { Log } from '../../lib/log.ts'
import type { InlineComment, PostableReview } from '../forge.ts'
import { upToLength } from './bodies.ts'
import {
  type Annotation,
  type Checks,
  concluded,
  createCheckRun,
  findCheckRun,
  output,
  updateCheckRun,
} from './check-run.ts'
import { isPermanent, type PullRequestPlace } from './pull-request-place.ts'

/** GitHub's limit for one request; those of the next request are added to them. */
const ANNOTATIONS_PER_REQUEST = 50

/** Ten requests. The comments themselves are in the review. */
const MAX_ANNOTATIONS = 500

const LEVELS = { low: 'notice', medium: 'warning', high: 'failure', critical: 'failure' } as const

/**
 * Ends the check run of a posted review with its verdict, and a note at each line that it has a comment for.
 * An earlier attempt may have got anywhere: how many annotations GitHub counts tells where to go on. Without
 * an App there is no check run; without the permission that is logged, and the review stands.
 */
export async function concludeCheckRun(
  { octokit, us, repository, signal }: PullRequestPlace,
  review: PostableReview,
  log: Log,
): Promise<void> {
  if (us.appId === null) return
  try {
    await conclude({ octokit, appId: us.appId, repository, head: review.head }, review)
  } catch (error) {
    signal.throwIfAborted()
    if (!isPermanent(error)) throw error
    log.warn(
      { jobId: review.jobId, code: error.code },
      `could not conclude the check run: ${error.message} ${error.help}`,
    )
  }
}

async function conclude(checks: Checks, review: PostableReview): Promise<void> {
  const { title, summary } = review.verdict
  const inProgress = { status: 'in_progress' as const, output: output(title, summary) }
  const found = await findCheckRun(checks, review)
  if (found?.isCompleted) return
  const id = found?.id ?? (await createCheckRun(checks, review, inProgress))

  const annotations = review.comments.slice(0, MAX_ANNOTATIONS).map(annotation)
  let done = found?.annotations ?? 0
  while (annotations.length - done > ANNOTATIONS_PER_REQUEST) {
    const next = annotations.slice(done, done + ANNOTATIONS_PER_REQUEST)
    await updateCheckRun(checks, id, { ...inProgress, output: { ...inProgress.output, annotations: next } })
    done += next.length
  }
  const end = concluded(review.verdict)
  await updateCheckRun(checks, id, {
    ...end,
    output: { ...end.output, annotations: annotations.slice(done) },
  })
}

function annotation({ path, line, endLine, severity, title }: InlineComment): Annotation {
  return {
    path,
    start_line: line,
    end_line: endLine,
    annotation_level: LEVELS[severity],
    title: severity,
    message: upToLength(title, 4_000),
  }
}
