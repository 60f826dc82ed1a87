import type { ReviewRequest } from '../jobs/review-request.ts'
import type { Change, ChangedFile } from './change.ts'

/** A change laid open for reading. Whoever opened it closes it. */
export interface OpenChange {
  change: Change
  /**
   * A text file as it stands at base or head.
   *
   * @returns undefined when there is no such file there, or it is binary or larger than `MAX_FILE_BYTES`
   */
  readFile(side: 'base' | 'head', path: string): Promise<string | undefined>
  /**
   * What differs between an earlier head of the same pull request and this one, in these files alone (paths at
   * either side). A file that does not differ is not among the answers.
   *
   * @returns undefined when the forge no longer has that commit
   */
  changedSince(commit: string, paths: readonly string[]): Promise<ChangedFile[] | undefined>
  close(): Promise<void>
}

/** Reads what a pull request changes. */
export interface ChangeReader {
  /** @throws KodusError with a code of its own for whatever a hostile or broken repository can do */
  open(request: ReviewRequest, signal: AbortSignal): Promise<OpenChange>
}

/** A pull request as the forge tells of it now. */
export interface PullRequest {
  repository: string
  /** Its key in the repository: a number in text. */
  pullRequest: string
  state: 'open' | 'closed' | 'merged'
  draft: boolean
  /** Commit ids. */
  head: string
  base: string
  baseBranch: string
  headBranch: string
  title: string
  description: string
  author: string
  /** Whether an App opened it. The forge confirms no role of an App's. */
  byApp: boolean
  /** Whether its head lies in another repository than its base. */
  fromFork: boolean
  /** Whose repository its head lies in: people other than the author may push there. Null: it was deleted. */
  headOwner: string | null
  /** ISO 8601, the forge's clock. */
  updatedAt: string
}

/** Looks at pull requests, and at who may do what. */
export interface PullRequests {
  /** @throws KodusError PULL_REQUEST_NOT_FOUND, or why the forge did not answer */
  get(repository: string, pullRequest: string, signal: AbortSignal): Promise<PullRequest>
  /** Whether the forge confirms that this account may write to the repository. */
  canWrite(repository: string, account: string, signal: AbortSignal): Promise<boolean>
  /** Whether the operator lets this installation work for a repository (the allowlist). */
  isAllowed(repository: string): boolean
  /** What the operator decided about changes of people who may not write: see `GITHUB_OUTSIDE_CHANGES`. */
  readonly outsideChanges: 'wait' | 'review' | 'ignore'
}

/** A remark at lines of a file at head. */
export interface InlineComment {
  /** The finding's id: the adapter derives a hidden, authenticated marker from it. */
  id: string
  path: string
  line: number
  endLine: number
  severity: 'low' | 'medium' | 'high' | 'critical'
  /** What is wrong, in one line of plain text. */
  title: string
  /** Markdown. */
  body: string
  /** Text to put in the place of these lines, where that is safe. */
  replacement?: string
}

/** Something to say about a finding that an earlier review of the same pull request posted. */
export interface FollowUp {
  findingId: string
  /** `fixed`: answered and its thread resolved. `returned`: its thread opened again and answered. */
  action: 'fixed' | 'returned'
  /** Markdown. */
  body: string
}

export interface PostableReview {
  /** The job and run it belongs to: the adapter derives its hidden, authenticated marker from them. */
  jobId: string
  run: number
  head: string
  /** Markdown: what the review itself says above its comments. */
  body: string
  /** Markdown: stands above comments in the body that the forge took at no line. */
  unplacedHeading: string
  comments: InlineComment[]
  followUps: FollowUp[]
  /** Markdown: the one comment a pull request has from us, updated in place. Null: a newer review writes it. */
  summary: string | null
  verdict: Verdict
}

/** What a status display (GitHub: a check run) says in the end. */
export interface Verdict {
  /** `neutral`: findings, none of which the repository wants to fail on; or no review could be made. */
  conclusion: 'success' | 'neutral' | 'failure'
  /** Plain text, one line. */
  title: string
  /** Markdown. */
  summary: string
}

export interface PostedReview {
  /** Where a person finds it; null where the forge has no place for it. */
  url: string | null
  /** Whether the review itself was found there already, posted by an earlier attempt of this run. */
  adopted: boolean
  /** How many comments the forge took at no line: they are in the body. */
  unplaced: number
}

/** Posts a review where its readers are. */
export interface ReviewPoster {
  /**
   * Brings the forge to the state that the review describes: looks at what an earlier attempt of this run left
   * there, does the rest, and does it once. `stillOurs` is asked again at the last moments that the forge
   * leaves for it.
   *
   * @throws KodusError LEASE_LOST when it is no longer ours; else whatever kept the forge from taking it
   */
  post(
    request: ReviewRequest,
    review: PostableReview,
    stillOurs: () => Promise<boolean>,
    signal: AbortSignal,
  ): Promise<PostedReview>
}

/** What becomes of a review before there is one, or instead of one. */
export type ReviewStatus =
  | { state: 'running'; stage: string; percent: number }
  /** It will be tried again by itself. Markdown. */
  | { state: 'waiting'; reason: string }
  /**
   * It ended without a review: skipped, failed, superseded, cancelled. `failed`, or it waits for somebody: a
   * person has to act, so where a display has no place (GitHub with a token: no check runs) it is said in the one
   * comment instead.
   */
  | { state: 'ended'; verdict: Verdict; failed?: boolean }

/** Shows the readers of a pull request how its review fares (GitHub: a check run). */
export interface StatusDisplay {
  /** Creates or updates the one display of this job. Nobody's review depends on it. */
  show(
    request: ReviewRequest,
    job: { jobId: string; run: number },
    status: ReviewStatus,
    signal: AbortSignal,
  ): Promise<void>
}

/** Talks in a pull request's conversation. */
export interface Conversation {
  /**
   * Answers a comment, once for each `key`, in its own thread where it has one. Markdown.
   *
   * @param key what the answer belongs to, as the comment: a second attempt finds it by its hidden marker
   */
  answer(
    to: {
      repository: string
      pullRequest: string
      comment: { id: string; place: 'conversation' | 'thread'; threadId: string | null }
    },
    key: string,
    body: string,
    signal: AbortSignal,
  ): Promise<void>
  /**
   * The finding that a thread of ours is about, and resolves the thread.
   *
   * @returns undefined when the thread is not one of our findings
   */
  dismissThread(
    of: { repository: string; pullRequest: string; threadId: string },
    signal: AbortSignal,
  ): Promise<string | undefined>
}

/** One forge, as the worker sees it. What a forge has no place for, it leaves out: plain git can only be read. */
export interface Forge {
  reader: ChangeReader
  poster: ReviewPoster
  pullRequests?: PullRequests
  status?: StatusDisplay
  conversation?: Conversation
}

/** A larger file is not read: nobody reviews it line by line. */
export const MAX_FILE_BYTES = 1024 * 1024
