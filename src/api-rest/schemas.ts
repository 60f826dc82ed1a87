import * as v from 'valibot'
import { JOB_STATUSES } from '../jobs/job.ts'
import { COMMANDS } from '../jobs/review-request.ts'
import { SEVERITIES } from '../review/review.ts'
import { STOP_NAMES } from '../store/find-stops.ts'

/**
 * Everything this API sends, once: the handlers' types, `/openapi.json` and the tests' validators are all
 * derived from here.
 */
const Timestamp = v.pipe(v.string(), v.isoTimestamp())
const Count = v.pipe(v.number(), v.integer(), v.minValue(0))
const Line = v.pipe(v.number(), v.integer(), v.minValue(1))

export const JobId = v.pipe(v.string(), v.uuid('must be the id of a job, a UUID'), v.toLowerCase())
export const Status = v.picklist(JOB_STATUSES, `must be one of ${JOB_STATUSES.join(', ')}`)

export const Problem = v.object({
  type: v.literal('about:blank'),
  title: v.string(),
  status: v.pipe(v.number(), v.integer()),
  code: v.pipe(v.string(), v.description('Stable, to be searched for and compared with.')),
  detail: v.string(),
  help: v.optional(v.pipe(v.string(), v.description('What the caller can do about it.'))),
})

export const ErrorReport = v.object({ code: v.string(), message: v.string(), help: v.string() })

export const Finding = v.object({
  id: v.pipe(v.string(), v.description('Stays the same across runs while the code in question does.')),
  source: v.picklist(['rule', 'secret', 'model']),
  rule: v.string(),
  path: v.string(),
  line: v.pipe(Line, v.description('1-based, in the file at head.')),
  endLine: v.pipe(Line, v.description('The last line, included.')),
  severity: v.picklist(SEVERITIES),
  what: v.string(),
  why: v.string(),
  advice: v.string(),
  replacement: v.optional(
    v.pipe(v.string(), v.description('Text for lines line to endLine, where applying it is safe.')),
  ),
})

export const Review = v.object({
  base: v.string(),
  head: v.string(),
  since: v.pipe(
    v.nullable(v.string()),
    v.description('The head that the review before this one saw: only what changed since then was read.'),
  ),
  files: v.object({
    changed: Count,
    reviewed: v.pipe(Count, v.description('Read by the rules of their language, by a model, or by both.')),
    secretsOnly: v.pipe(Count, v.description('Scanned for credentials, and read by nothing else.')),
    unchanged: v.pipe(Count, v.description('Read by an earlier review, and not changed since.')),
  }),
  findings: v.pipe(v.array(Finding), v.description('Said by this review.')),
  carried: v.pipe(
    v.array(Finding),
    v.description('Said by earlier reviews of the pull request, and still true: not said again.'),
  ),
  fixed: v.pipe(v.array(Finding), v.description('Said by earlier reviews; the code is gone.')),
  returned: v.pipe(v.array(Finding), v.description('Said by earlier reviews, gone meanwhile, and back.')),
  forgotten: v.pipe(v.array(Finding), v.description('Said by earlier reviews, and dismissed by a person.')),
  notes: v.pipe(
    v.array(v.object({ about: v.string(), reason: v.string() })),
    v.description('What was not looked at, or not fully, and why.'),
  ),
  model: v.variant('used', [
    v.object({ used: v.literal(false), reason: v.string() }),
    v.object({
      used: v.literal(true),
      model: v.string(),
      requests: Count,
      inputTokens: Count,
      outputTokens: Count,
    }),
  ]),
  fetchedBytes: v.pipe(Count, v.description('Bytes that git fetched to read the change.')),
})

export const JobSummary = v.object({
  id: v.pipe(v.string(), v.uuid()),
  type: v.pipe(v.string(), v.description('`code-review` or `command`; a newer worker may know others.')),
  status: Status,
  forge: v.string(),
  repository: v.string(),
  organisation: v.string(),
  pullRequest: v.nullable(v.string()),
  title: v.pipe(v.nullable(v.string()), v.description('Null where the job is no review.')),
  branch: v.nullable(v.string()),
  base: v.pipe(v.nullable(v.string()), v.description('Null where the job is no review.')),
  head: v.pipe(v.nullable(v.string()), v.description('Null where the job is no review.')),
  command: v.pipe(
    v.nullable(v.picklist([...COMMANDS, 'unknown'])),
    v.description('What a comment told the reviewer to do; null where the job is no command.'),
  ),
  sender: v.nullable(v.string()),
  deliveryId: v.string(),
  run: v.pipe(Line, v.description('Goes up with each replay.')),
  attempts: v.pipe(Count, v.description('Tries of this run so far.')),
  stage: v.nullable(v.pipe(v.string(), v.description('Of the pipeline; the last one reached.'))),
  progress: v.pipe(Count, v.maxValue(100), v.description('Percent of the run.')),
  error: v.nullable(ErrorReport),
  createdAt: Timestamp,
  updatedAt: Timestamp,
  startedAt: v.nullable(Timestamp),
  finishedAt: v.nullable(Timestamp),
  discardedAt: v.pipe(
    v.nullable(Timestamp),
    v.description('When a person put the FAILED job aside. A replay sets it back to null.'),
  ),
})

export const Job = v.object({
  ...JobSummary.entries,
  findings: v.pipe(v.array(Finding), v.description("The review's findings; none until it is posted.")),
  review: v.nullable(Review),
  reviewUrl: v.pipe(
    v.nullable(v.string()),
    v.description('Where the review is at the forge, if it has URLs.'),
  ),
})

export const JobPage = v.object({
  jobs: v.array(JobSummary),
  next: v.pipe(v.nullable(v.string()), v.description('Cursor of the next page; null on the last one.')),
})

export const JobEvent = v.object({
  id: v.pipe(v.string(), v.digits(), v.description('Grows within a job.')),
  run: Line,
  attempt: Count,
  from: v.nullable(Status),
  to: Status,
  reason: v.string(),
  actor: v.string(),
  stage: v.pipe(v.nullable(v.string()), v.description('The stage that began; null for a change of status.')),
  progress: v.pipe(v.nullable(v.pipe(Count, v.maxValue(100))), v.description('Percent done when it began.')),
  at: Timestamp,
})

export const JobHistory = v.object({ events: v.array(JobEvent) })

export const JobEnd = v.object({ status: Status })

export const DeadLetterId = v.pipe(
  v.string('must be the id of a dead letter, a number'),
  // 18 digits are below PostgreSQL's bigint.
  v.regex(/^\d{1,18}$/, 'must be the id of a dead letter, a number'),
)

export const DeadLetter = v.object({
  id: v.pipe(v.string(), v.digits()),
  queue: v.pipe(v.string(), v.description('Where it died.')),
  routingKey: v.string(),
  reason: v.pipe(v.string(), v.description("The broker's word for it, and what of the body is kept.")),
  messageId: v.nullable(v.string()),
  bytes: v.pipe(Count, v.description('How much of its body is kept.')),
  excerpt: v.pipe(v.string(), v.description('The beginning of the body, as far as it can be printed.')),
  receivedAt: Timestamp,
})

export const DeadLetterPage = v.object({
  deadLetters: v.array(DeadLetter),
  next: v.pipe(v.nullable(v.string()), v.description('Cursor of the next page; null on the last one.')),
})

export const SettledLetter = v.object({
  id: v.pipe(v.string(), v.digits()),
  outcome: v.picklist(['replayed', 'discarded']),
  jobId: v.pipe(
    v.nullable(v.pipe(v.string(), v.uuid())),
    v.description('The job that it asked for or announced.'),
  ),
  did: v.pipe(v.string(), v.description('What was done, as a sentence.')),
})

export const StopName = v.picklist(STOP_NAMES, `must be one of ${STOP_NAMES.join(', ')}`)

export const Stop = v.object({
  name: StopName,
  reason: v.nullable(v.string()),
  actor: v.pipe(v.string(), v.description('Who stopped it.')),
  stoppedAt: Timestamp,
})

export const Stops = v.object({
  stops: v.pipe(v.array(Stop), v.description('What is stopped now; none where everything goes on.')),
})

export const Health = v.object({
  status: v.literal('ok'),
  component: v.literal('api-rest'),
  version: v.string(),
  instance: v.pipe(v.string(), v.description('KODUS_INSTANCE_ID of the installation that answers.')),
})

export const Ready = v.object({ status: v.literal('ready') })

/** What `/openapi.json` lists by name and refers to. */
export const NAMED_SCHEMAS = {
  Problem,
  ErrorReport,
  Finding,
  Review,
  JobSummary,
  Job,
  JobPage,
  JobEvent,
  JobHistory,
  JobEnd,
  DeadLetter,
  DeadLetterPage,
  SettledLetter,
  Stop,
  Stops,
  Health,
  Ready,
}
