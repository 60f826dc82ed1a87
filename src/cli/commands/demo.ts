import { createHmac, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { styleText } from 'node:util'
import type { Command } from 'commander'
import type { Environment } from '../../lib/env.ts'
import { KodusError } from '../../lib/errors.ts'
import { createLog } from '../../lib/log.ts'
import { stopRequested } from '../../lib/shutdown.ts'
import type { Review } from '../../review/review.ts'
import { readDirectory, readEnvironment } from '../config.ts'
import { makeSampleRepository } from '../demo/sample-repository.ts'
import { watchJob } from '../demo/watch-job.ts'
import { formatReview } from '../formats/index.ts'
import { runsFromCheckout } from '../installation.ts'
import { freePort } from '../stack/free-port.ts'
import { type Stack, startStack } from '../stack/stack.ts'

/** The demo takes seconds; this is for a machine on which something is wrong. */
const PATIENCE_MS = 180_000

export function addDemo(program: Command): void {
  program
    .command('demo')
    .description('watch one signed webhook become a finished review, then stop everything')
    .action(async () => {
      const interrupted = stopRequested({ withParent: false }).then((signal) => {
        throw new KodusError('INTERRUPTED', `The demo was stopped by ${signal}.`, {
          help: 'Run it again any time.',
        })
      })
      // Heard in the race below; until then, a signal must not count as a rejection nobody handles.
      interrupted.catch(() => {})
      const directory = readDirectory()
      const repositories = join(directory, 'demo')
      say('Starting PostgreSQL and the three components, each a process of its own …')
      const stack = await startStack({
        directory,
        // GitHub does not call the demo: any port does.
        env: { WEBHOOK_PORT: String(await freePort(3332)), ...demoEnvironment() },
        log: createLog('kodus', 'warn'),
        output: 'files',
        repositoryRoots: [repositories],
      })
      try {
        await Promise.race([
          interrupted,
          patience(join(directory, 'logs')),
          tellTheStory(stack, repositories),
        ])
      } finally {
        say('\nStopping …')
        await stack.stop()
      }
      say(`Stopped. The components' logs are in ${join(directory, 'logs')}.`)
      process.exit()
    })
}

/** The demo brings its own PostgreSQL: it must not write into a database somebody works with. */
function demoEnvironment(): Environment {
  const {
    DATABASE_URL: _,
    DATABASE_CA_FILE: __,
    DATABASE_CA: ___,
    RABBITMQ_URL: ____,
    ...env
  } = readEnvironment()
  return env
}

/** Never resolves; gives up on a job that does not move, so that the demo always ends. */
async function patience(logs: string): Promise<never> {
  await sleep(PATIENCE_MS, undefined, { ref: false })
  throw new KodusError('DEMO_TOO_SLOW', `The review did not finish within ${PATIENCE_MS / 1000} s.`, {
    help: `The components' logs in ${logs} say what they wait for.`,
  })
}

async function tellTheStory(stack: Stack, repositories: string): Promise<void> {
  for (const { type, url, pid } of stack.components)
    say(`  ${type.padEnd(10)} ${url ?? 'no port'}  (pid ${pid()})`)
  say(`  ${'postgresql'.padEnd(10)} ${stack.database.where}  (pid ${stack.database.pid})\n`)

  const request = await makeSampleRepository(repositories)
  say(`Sample repository: ${request.repository}\n  "${request.title}" (${request.branch})\n`)

  say(`POST ${stack.webhookUrl}/webhooks/git, signed`)
  const { status, jobId } = await sendWebhook(stack, request)
  say(`  ${status} ${styleText('dim', `jobId ${jobId}`)}\n`)

  const job = `${stack.apiUrl}/jobs/${jobId}`
  const authorization = `Bearer ${stack.apiKey}`
  await watchJob(`${job}/events`, authorization, (line) => say(`  ${line}`))

  const response = await fetch(job, { headers: { authorization } })
  const finished = (await response.json()) as {
    status: string
    error: { code: string } | null
    review: Review | null
  }
  if (!finished.review) {
    throw new KodusError(
      'DEMO_FAILED',
      `The job ended as ${finished.status} (${finished.error?.code ?? 'no error'}).`,
      {
        help: `Look at the logs in ${join(stack.directory, 'logs')}, and run \`npm run kodus -- doctor\`.`,
      },
    )
  }
  say('')
  say(
    formatReview(finished.review, 'text', {
      repository: 'sample-pr',
      title: request.title,
      color: process.stdout.isTTY === true,
    }),
  )
  const keepUp = runsFromCheckout ? 'npm start' : 'kodus up'
  say(`\nThe API tells the same, once \`${keepUp}\` keeps the stack up: with the key that it shows,`)
  say(`  curl -H "Authorization: Bearer $KODUS_API_KEY" ${job}`)
}

async function sendWebhook(stack: Stack, request: object): Promise<{ status: number; jobId: string }> {
  const body = JSON.stringify(request)
  const signature = createHmac('sha256', stack.gitWebhookSecret).update(body).digest('hex')
  const response = await fetch(`${stack.webhookUrl}/webhooks/git`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-kodus-delivery': randomUUID(),
      'x-kodus-signature-256': `sha256=${signature}`,
    },
    body,
  })
  const answer = (await response.json()) as { jobId?: string; detail?: string }
  if (response.status === 202 && answer.jobId) return { status: response.status, jobId: answer.jobId }
  throw new KodusError(
    'DEMO_FAILED',
    `The webhook handler answered ${response.status}: ${answer.detail ?? ''}`,
    {
      help: `Look at the logs in ${join(stack.directory, 'logs')}.`,
    },
  )
}

function say(line: string): void {
  console.log(line)
}
