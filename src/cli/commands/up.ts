import { join } from 'node:path'
import { styleText } from 'node:util'
import type { Command } from 'commander'
import { createLog } from '../../lib/log.ts'
import { stopRequested } from '../../lib/shutdown.ts'
import { readDirectory, readEnvironment } from '../config.ts'
import { type Stack, startStack } from '../stack/stack.ts'

export function addUp(program: Command): void {
  program
    .command('up')
    .description('run the three components, and PostgreSQL where none is configured, until Ctrl-C')
    .action(async () => {
      const log = createLog('kodus')
      // Under npm, the end of npm is the end of what it runs: nobody else could stop it.
      const stop = stopRequested({ withParent: readEnvironment().npm_lifecycle_event !== undefined })
      const stack = await startStack({
        directory: readDirectory(),
        env: readEnvironment(),
        log,
        output: 'here',
      })
      if (process.stdout.isTTY) console.log(banner(stack))
      else log.info(facts(stack), 'the stack is up')

      log.info(`stopping (${await stop}): draining`)
      await stack.stop()
      log.info('stopped')
    })
}

/** What runs where, for logs: no key, but the file that holds it. */
function facts(stack: Stack) {
  return {
    components: Object.fromEntries(stack.components.map(({ type, url, pid }) => [type, { url, pid: pid() }])),
    database: stack.database,
    queue: stack.queue,
    directory: stack.directory,
    apiKeyIn: join(stack.directory, 'env'),
  }
}

/** What runs where, for the person at the terminal, the API key included. */
function banner(stack: Stack): string {
  const rows: [string, string][] = stack.components.map(({ type, url, pid }) => [
    type,
    `${url ?? 'no port'}  (pid ${pid()})`,
  ])
  rows.push(
    ['postgresql', `${stack.database.where}${stack.database.pid ? `  (pid ${stack.database.pid})` : ''}`],
    [
      'queue',
      stack.queue === 'rabbitmq' ? 'RabbitMQ (RABBITMQ_URL)' : 'PostgreSQL (RABBITMQ_URL is not set)',
    ],
    ['data', stack.directory],
    ['API key', stack.apiKey],
    ['API docs', `${stack.apiUrl}/docs`],
    [
      'webhooks',
      `${stack.webhookUrl}/webhooks/git, signed with GIT_WEBHOOK_SECRET from ${join(stack.directory, 'env')}`,
    ],
  )
  const lines = rows.map(([name, value]) => `  ${styleText('bold', name.padEnd(11))} ${value}`)
  return ['', ...lines, '', '  Ctrl-C drains and stops everything.', ''].join('\n')
}
