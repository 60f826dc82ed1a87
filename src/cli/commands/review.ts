import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import type { ChangeReader, Forge } from '../../forges/forge.ts'
import { createLocalReader } from '../../forges/git/client.ts'
import { KodusError } from '../../lib/errors.ts'
import { silentLog } from '../../lib/log.ts'
import { createOpenAiCompatibleModel } from '../../models/openai-compatible.ts'
import { PIPELINE, runPipeline } from '../../review/pipeline.ts'
import { atLeast, type Review, SEVERITIES, type Severity } from '../../review/review.ts'
import { RULES } from '../../review/rules/index.ts'
import type { ReviewPorts } from '../../review/stage.ts'
import { readModel } from '../config.ts'
import { FORMATS, type FormatName, formatReview } from '../formats/index.ts'
import { createProgressBar } from '../progress-bar.ts'
import { rememberTexts } from '../remember-texts.ts'

interface ReviewOptions {
  base: string
  head: string
  format: FormatName
  failOn?: Severity
}

export function addReview(program: Command): void {
  program
    .command('review')
    .description(
      'review commits of a local repository, without any server; uncommitted work is not looked at',
    )
    .argument('[path]', 'the repository', '.')
    .requiredOption('--base <ref>', 'what the change is compared with')
    .option('--head <ref>', 'the change', 'HEAD')
    .addOption(new Option('--format <format>', 'how to print the review').choices(FORMATS).default('text'))
    .addOption(
      new Option('--fail-on <severity>', 'exit with 1 if a finding is at least this severe').choices(
        SEVERITIES,
      ),
    )
    .addHelpText(
      'after',
      '\nExit codes: 0 reviewed; 1 a finding reaches --fail-on; 2 the review could not be made.',
    )
    .action(async (path: string, options: ReviewOptions) => {
      const { reader, linesOf } = rememberTexts(createLocalReader(resolve(path)))
      const review = await reviewLocally(resolve(path), options, reader)
      console.log(
        formatReview(review, options.format, {
          repository: path,
          color: process.stdout.isTTY === true,
          rules: RULES,
          original: linesOf,
        }),
      )
      const { failOn } = options
      if (failOn && review.findings.some((finding) => atLeast(finding.severity, failOn))) process.exitCode = 1
    })
}

async function reviewLocally(
  path: string,
  { base, head }: ReviewOptions,
  reader: ChangeReader,
): Promise<Review> {
  const interrupted = new AbortController()
  process.once('SIGINT', () => {
    const help = 'Nothing is left behind; run it again any time.'
    interrupted.abort(new KodusError('INTERRUPTED', 'The review was interrupted.', { help }))
  })
  const bar = createProgressBar(process.stderr, PIPELINE.length)
  const model = readModel()

  // Nothing outlives this process, so nothing is checkpointed, fenced or posted.
  const localOnly: Forge['poster'] = { post: async () => ({ url: null, adopted: false, unplaced: 0 }) }
  const ports: ReviewPorts = {
    jobId: 'local',
    run: 1,
    forge: { reader, poster: localOnly },
    model: model && createOpenAiCompatibleModel(model),
    signal: interrupted.signal,
    progress: async (stage) => bar.next(stage),
    recall: async () => ({ last: undefined, said: new Map(), dismissed: new Set() }),
    observe: async ({ head, state }) => ({ head, state, hold: null }),
    loadCheckpoint: async () => undefined,
    saveCheckpoint: async () => {},
    committed: async () => undefined,
    intend: async (review) => ({ review, posted: false }),
    stillOurs: async () => true,
    posted: async () => {},
  }
  try {
    const result = await runPipeline(
      {
        repository: path,
        organisation: 'local',
        pullRequest: null,
        base,
        head,
        title: '',
        description: '',
        branch: null,
        sender: null,
        action: 'local review',
        // Whoever runs this asks for it: drafts, titles and branches that are left alone are not left alone here.
        approvedBy: 'local',
      },
      ports,
      silentLog,
    )
    if (result.did === 'review') return result.review
    throw new KodusError('NOT_REVIEWED', `There is no review: ${result.reason}.`, {
      help: 'The configuration of the base says so: kodus-config.yml.',
    })
  } finally {
    bar.end()
  }
}
