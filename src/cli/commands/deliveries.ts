import { type Command, InvalidArgumentError } from 'commander'
import { createGitHubClient } from '../../forges/github/client.ts'
import { readGitHubConfig } from '../../forges/github/config.ts'
import { createGitHubDeliveryLog } from '../../forges/github/deliveries.ts'
import { type Sweep, type SweepOptions, sweepDeliveries } from '../../jobs/sweep-deliveries.ts'
import { KodusError } from '../../lib/errors.ts'
import { silentLog } from '../../lib/log.ts'
import { printable } from '../../review/printable.ts'
import type { DatabasePool } from '../../store/database.ts'
import { listRedeliveries } from '../../store/list-redeliveries.ts'
import type { Redelivery } from '../../store/redelivery.ts'
import { readDirectory, readEnvironment } from '../config.ts'
import { withGitHubSettings } from '../setup/github-settings.ts'
import { withDatabase } from '../with-database.ts'

interface SweepCommandOptions {
  all?: boolean
  since?: Date
  dryRun?: boolean
}

export function addDeliveries(program: Command): void {
  const deliveries = program
    .command('deliveries')
    .description(
      'webhooks that GitHub could not hand over, or that were lost with a database. A worker sweeps them every five minutes too',
    )

  deliveries
    .command('sweep')
    .description(
      'find failed deliveries of the last three days and have them sent again, without the growing pauses',
    )
    .option(
      '--all',
      'those too that GitHub has as delivered and we do not know: after a failover or a restore',
    )
    .option('--since <time>', 'with --all: from then on, as 2026-01-31T12:00:00Z', parseTime)
    .option('--dry-run', 'only say what would be asked for')
    .action(({ all = false, since, dryRun = false }: SweepCommandOptions, command: Command) => {
      if (all !== Boolean(since)) command.error('error: --all and --since go together')
      return withDatabase(async (db) => print(await sweep(db, { lostSince: since, dryRun }), dryRun))
    })

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

async function sweep(db: DatabasePool, options: Pick<SweepOptions, 'lostSince' | 'dryRun'>): Promise<Sweep> {
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
  return await sweepDeliveries({ db, forge: 'github', log, pauses: false, ...options }, interrupted.signal)
}

/** @throws KodusError what ended the sweep early, after everything that was done */
function print(
  { found, lost, settled, asked, open, requested, unread, interrupted }: Sweep,
  dryRun: boolean,
): void {
  for (const each of [...settled, ...asked]) console.log(line(each))
  for (const { source, reason } of unread) console.error(printable(`cannot look at ${source}: ${reason}`))
  const failures = found === 1 ? '1 new failure' : `${found} new failures`
  const losses = lost === null ? '' : `, ${lost} delivered and not known here`
  const arrived = settled.filter(({ outcome }) => outcome === 'recovered').length
  const recoveries = arrived === 0 ? '' : `, ${arrived} recovered`
  const asking = `${asked.length} ${dryRun ? 'to ask for now' : 'asked for now'}`
  const state = `${requested} requested and not confirmed yet, ${open - requested} not arrived`
  console.log(`${dryRun ? 'dry run: ' : ''}${failures}${losses}${recoveries}, ${asking}; ${state}`)
  if (interrupted) throw interrupted
  if (!dryRun && open > requested) {
    console.log(
      'GitHub takes no more at once. Workers ask for the rest, some every five minutes; or sweep again.',
    )
  }
}

function line({ failedAt, deliveryId, event, failure, outcome, requests, detail }: Redelivery): string {
  const asked = requests > 0 ? [`asked for ${requests}×`] : []
  const columns = [
    failedAt,
    deliveryId,
    event,
    `${/^[23]\d\d$/.test(failure) ? 'delivered' : 'failed'}: ${failure}`,
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

/** ISO 8601 with an offset, with a space for the `T` and hours alone too: as PostgreSQL prints it. */
function parseTime(text: string): Date {
  const [, day, hour, zone] =
    /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d(?::?\d\d)?)$/.exec(text) ?? []
  const time = new Date(`${day}T${hour}${zone?.length === 3 ? `${zone}:00` : zone}`)
  if (time.getTime() <= Date.now()) return time
  throw new InvalidArgumentError('A time is in the past, and as 2026-01-31T12:00:00Z.')
}
