import { type Command, InvalidArgumentError } from 'commander'
import { createGitHubClient } from '../../forges/github/client.ts'
import { readGitHubConfig } from '../../forges/github/config.ts'
import { createGitHubDeliveryLog } from '../../forges/github/deliveries.ts'
import { type Sweep, sweepDeliveries } from '../../jobs/sweep-deliveries.ts'
import { KodusError } from '../../lib/errors.ts'
import { silentLog } from '../../lib/log.ts'
import { printable } from '../../review/printable.ts'
import { listRedeliveries } from '../../store/list-redeliveries.ts'
import type { Redelivery } from '../../store/redelivery.ts'
import { readDirectory, readEnvironment } from '../config.ts'
import { withGitHubSettings } from '../setup/github-settings.ts'
import { withDatabase } from '../with-database.ts'

export function addDeliveries(program: Command): void {
  const deliveries = program
    .command('deliveries')
    .description('webhooks that GitHub could not hand over. A worker sweeps them every five minutes too')

  deliveries
    .command('sweep')
    .description(
      'find failed deliveries of the last three days and have them sent again, without the growing pauses',
    )
    .action(() => withDatabase(async (db) => print(await sweep(db))))

  deliveries
    .command('list')
    .description('what was found and done, newest first')
    .option('--limit <count>', 'at most so many', parseLimit, 50)
    .action(({ limit }: { limit: number }) =>
      withDatabase(async (db) => {
        const found = await listRedeliveries(db, limit)
        for (const each of found) console.log(line(each))
        if (found.length === 0) console.log('No delivery has failed that we know of.')
      }),
    )
}

async function sweep(db: Parameters<typeof listRedeliveries>[0]): Promise<Sweep> {
  const config = readGitHubConfig(withGitHubSettings(readEnvironment(), readDirectory()))
  if (!config) {
    throw new KodusError('GITHUB_NOT_CONNECTED', 'GitHub is not connected.', {
      help: 'Run `kodus setup github`, or set GITHUB_APP_ID and its key, or GITHUB_TOKEN.',
    })
  }
  if (config.pollSeconds !== undefined) {
    throw new KodusError('GITHUB_POLLED', 'GitHub is polled: it sends no webhooks that could have failed.', {
      help: 'What happened while no worker ran is found by the next one. GITHUB_POLL_SECONDS is set.',
    })
  }
  const client = createGitHubClient(config, { log: silentLog })
  const log = createGitHubDeliveryLog({ client, repositories: config.repositories })
  const interrupted = new AbortController()
  process.once('SIGINT', () => interrupted.abort(new Error('interrupted')))
  return await sweepDeliveries({ db, forge: 'github', log, pauses: false }, interrupted.signal)
}

/** @throws KodusError what ended the sweep early, after everything that was done */
function print({ found, settled, asked, open, requested, unread, interrupted }: Sweep): void {
  for (const each of [...settled, ...asked]) console.log(line(each))
  for (const { source, reason } of unread) console.error(printable(`cannot look at ${source}: ${reason}`))
  const failures = found === 1 ? '1 new failure' : `${found} new failures`
  const state = `${requested} requested and not confirmed yet, ${open - requested} not arrived`
  console.log(`${failures}, ${asked.length} asked for now; ${state}`)
  if (interrupted) throw interrupted
}

function line({ failedAt, deliveryId, event, failure, outcome, requests, detail }: Redelivery): string {
  const asked = requests > 0 ? [`asked for ${requests}×`] : []
  const columns = [
    failedAt,
    deliveryId,
    event,
    `failed: ${failure}`,
    outcome,
    ...asked,
    ...(detail ? [detail] : []),
  ]
  return columns.map(printable).join('  ')
}

function parseLimit(text: string): number {
  const limit = Number(text)
  if (Number.isInteger(limit) && limit >= 1 && limit <= 10_000) return limit
  throw new InvalidArgumentError('A limit is a number from 1 to 10000.')
}
