import { registerHooks } from 'node:module'
import type { Promised } from './oracle.ts'
import type { Sort } from './schedule.ts'

/** A way to break the product, and what the run must then find. */
export interface Sabotage {
  name: string
  /** What is taken away. */
  breaks: string
  /** The figures in the last line of the report of which one must not be 0. */
  shows: readonly Promised[]
  /** What strikes in the run that is to show it. */
  faults: readonly Sort[]
  edits: readonly Edit[]
}

interface Edit {
  file: string
  from: string
  to: string
}

/**
 * Each promise, broken. They change the text of source files while these are loaded, in the components of the run
 * alone; a text that is not there any more is an error, so that none of them is quietly a sabotage of nothing.
 */
export const SABOTAGES: readonly Sabotage[] = [
  {
    name: 'answer-before-commit',
    breaks: 'the handler answers 202 before any store has the delivery',
    shows: ['lost'],
    faults: ['kill', 'database', 'broker'],
    edits: [
      {
        file: 'src/webhook-handler/receive-webhook.ts',
        from: "await traced({ name: 'make durable' }, () => makeDurable(delivery))",
        to: "(makeDurable(delivery).catch(() => {}), { by: 'database' as const, recorded: undefined })",
      },
    ],
  },
  {
    name: 'acknowledge-before-recording',
    breaks: 'the recorder acknowledges a delivery before its row is written',
    shows: ['lost'],
    faults: ['database', 'kill'],
    edits: [
      {
        file: 'src/jobs/rabbitmq-queue.ts',
        from: 'await record(delivery)',
        to: 'void record(delivery).catch(() => {})',
      },
    ],
  },
  {
    name: 'strange-ids',
    breaks: "a job's id is not that of its delivery",
    shows: ['duplicated', 'lost'],
    faults: ['database'],
    edits: [
      { file: 'src/jobs/review-request.ts', from: 'return uuidv5(', to: 'return uuidv5(Math.random() + ' },
    ],
  },
  {
    name: 'no-digest',
    breaks: 'a captured body under another id passes for another delivery',
    shows: ['duplicated'],
    faults: ['kill'],
    edits: [
      {
        file: 'src/webhook-handler/receive-webhook.ts',
        from: '!isCommitId(narrowed.request.head)',
        to: 'true',
      },
    ],
  },
  {
    name: 'post-without-looking',
    breaks: 'an attempt posts without looking for what an earlier one has posted',
    shows: ['duplicated', 'duplicated_comments'],
    faults: ['forge'],
    edits: [{ file: 'src/forges/github/submit-review.ts', from: 'if (earlier) return earlier', to: '' }],
  },
  {
    name: 'always-another-summary',
    breaks: 'each review writes a summary of its own',
    shows: ['duplicated_comments'],
    faults: ['kill'],
    edits: [
      {
        file: 'src/forges/github/summary-comment.ts',
        from: "isOurs(place, comment) && markers.read('summary', comment.body)",
        to: 'false',
      },
    ],
  },
  {
    name: 'post-whatever-was-pushed',
    breaks: 'the intent is committed although the pull request has moved on',
    shows: ['superseded_posted'],
    faults: ['kill'],
    edits: [{ file: 'src/store/record-intent.ts', from: 'if (pullRequest?.movedOn) {', to: 'if (false) {' }],
  },
  {
    name: 'no-fence',
    breaks: 'whoever held a job before may still write for it',
    shows: ['stale_writes'],
    faults: ['freeze'],
    edits: [
      {
        file: 'src/store/transition-job.ts',
        from: 'and (a.fence is null or j.fence = a.fence)',
        to: '',
      },
      {
        file: 'src/store/renew-lease.ts',
        from: 'where id = $1 and fence = $2 and',
        to: 'where id = $1 and $2::bigint is not null and',
      },
    ],
  },
  {
    name: 'no-history',
    breaks: 'transitions are not logged',
    shows: ['broken_histories'],
    faults: ['kill'],
    edits: [
      {
        file: 'src/store/transition-job.ts',
        from: ', from_status, status, reason, actor from moved',
        to: ', from_status, status, reason, actor from moved where false',
      },
    ],
  },
  {
    name: 'no-takeover',
    breaks: 'nobody notices that a lease has lapsed',
    shows: ['stuck'],
    faults: ['kill'],
    edits: [
      { file: 'src/store/lapse-leases.ts', from: "where status = 'PROCESSING' and", to: 'where false and' },
    ],
  },
  {
    name: 'no-outbox',
    breaks: 'what was committed and not published is never published',
    shows: ['stuck'],
    faults: ['broker', 'kill'],
    edits: [
      { file: 'src/jobs/dispatch-due.ts', from: "if (queue.technology === 'postgres') return", to: 'return' },
    ],
  },
  {
    name: 'review-nothing',
    breaks: 'a review is recorded as posted, and is not',
    shows: ['unreviewed'],
    faults: ['kill'],
    edits: [
      {
        file: 'src/forges/github/post-review.ts',
        from: 'review.comments.length > 0 ? await submitReview',
        to: 'review.comments.length < 0 ? await submitReview',
      },
    ],
  },
  {
    name: 'never-acknowledge',
    breaks: 'messages are not acknowledged',
    shows: ['orphans', 'stuck'],
    faults: ['kill'],
    edits: [
      {
        file: 'src/jobs/rabbitmq-consumer.ts',
        from: "if (outcome === 'acknowledge') channel.ack(message)",
        to: "if (outcome === 'acknowledge') return",
      },
    ],
  },
  {
    name: 'blame-the-job',
    breaks: 'a job pays for what is no fault of its own',
    shows: ['infrastructure_failures'],
    faults: ['restart', 'link'],
    edits: [
      {
        file: 'src/worker/record-failure.ts',
        from: "if (handBack) return { name: 'handBack', end: { how: 'handed-back' }, ...handBack }",
        to: "if (handBack) return { ...handBack, name: 'fail', end: { how: 'failed', error }, error: error.report() }",
      },
    ],
  },
  {
    name: 'answer-500',
    breaks: 'the handler answers 500 while both stores are away',
    shows: ['bad_answers'],
    faults: ['database', 'broker'],
    edits: [
      {
        file: 'src/webhook-handler/answer.ts',
        from: 'STORES_UNAVAILABLE: 503',
        to: 'STORES_UNAVAILABLE: 500',
      },
    ],
  },
  {
    name: 'comment-nowhere',
    breaks: 'comments are sent with a side that GitHub does not know',
    shows: ['refused_by_forge'],
    faults: ['kill'],
    edits: [
      {
        file: 'src/forges/github/submit-review.ts',
        from: "side: 'RIGHT' as const",
        to: "side: 5 as unknown as 'RIGHT'",
      },
    ],
  },
  {
    name: 'die-of-stopping',
    breaks: 'a worker that is asked to stop ends with a failure',
    shows: ['crashes'],
    faults: ['restart'],
    edits: [{ file: 'src/worker/main.ts', from: 'process.exit(0)', to: 'process.exit(3)' }],
  },
]

/** In a component's process: applies what CHAOS_SABOTAGE names. */
export function sabotageFromEnvironment(name = process.env.CHAOS_SABOTAGE): void {
  const sabotage = SABOTAGES.find((each) => each.name === name)
  if (!sabotage) return
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context)
      const edits = sabotage.edits.filter(({ file }) => url.endsWith(`/${file}`))
      if (edits.length === 0) return loaded
      return { ...loaded, source: edits.reduce(apply, Buffer.from(loaded.source as Uint8Array).toString()) }
    },
  })
}

function apply(text: string, { file, from, to }: Edit): string {
  if (!text.includes(from)) throw new Error(`${file} has no ${JSON.stringify(from)} to sabotage`)
  return text.replaceAll(from, to)
}
