import { type Command, InvalidArgumentError } from 'commander'
import type { DeadFilter } from '../jobs/dead-work.ts'
import { type ListOptions, listDead } from '../jobs/list-dead.ts'
import { DISCARD, REPLAY, settleDead } from '../jobs/settle-dead.ts'
import { resume, showStatus, stop } from '../jobs/stop-and-go.ts'
import { withDatabase } from '../with-database.ts'

type SettleOptions = DeadFilter & { all?: boolean }

export function addJobs(program: Command): void {
  const jobs = program.command('jobs').description('what waits, what failed, and pausing all of it')

  jobs
    .command('status')
    .description('what is stopped, what waits and runs, and what nobody has looked at')
    .action(() => withDatabase(showStatus))

  withFilter(jobs.command('dead'))
    .description('jobs that failed and messages that nobody could read, newest first, with what to do')
    .option('--limit <count>', 'at most so many of each', parseLimit, 50)
    .option('--json', 'as JSON')
    .action((options: ListOptions) => withDatabase((db) => listDead(db, options)))

  withFilter(jobs.command('replay [ids...]'))
    .description('run failed or cancelled jobs again; hand dead letters to where they belong')
    .option('--all', 'all that `kodus jobs dead` lists, with the same filters')
    .action((ids: string[], options: SettleOptions) =>
      withDatabase((db) => settleDead(db, REPLAY, ids, options)),
    )

  withFilter(jobs.command('discard [ids...]'))
    .description('put failed jobs and dead letters aside: they stay as they are, and are listed no more')
    .option('--all', 'all that `kodus jobs dead` lists, with the same filters')
    .action((ids: string[], options: SettleOptions) =>
      withDatabase((db) => settleDead(db, DISCARD, ids, options)),
    )

  jobs
    .command('pause')
    .description('have no worker take new jobs; those that run go on')
    .option('--reason <text>', 'for whoever finds it paused')
    .action(({ reason }: { reason?: string }) => withDatabase((db) => stop(db, 'claiming', reason ?? null)))

  jobs
    .command('resume')
    .description('have workers take jobs again')
    .action(() => withDatabase((db) => resume(db, 'claiming')))
}

function withFilter(command: Command): Command {
  return command
    .option('--code <code>', 'only jobs that failed with this code, as MODEL_UNAVAILABLE')
    .option('--repository <name>', 'only jobs of this repository')
}

function parseLimit(text: string): number {
  const limit = Number(text)
  if (Number.isInteger(limit) && limit >= 1 && limit <= 10_000) return limit
  throw new InvalidArgumentError('A limit is a number from 1 to 10000.')
}
