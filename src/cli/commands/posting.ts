import type { Command } from 'commander'
import { resume, stop } from '../jobs/stop-and-go.ts'
import { withDatabase } from '../with-database.ts'

export function addPosting(program: Command): void {
  const posting = program.command('posting').description('the switch that stops all posting to forges')

  posting
    .command('stop')
    .description('write nothing to any forge: no review, check, comment, answer, or request for a redelivery')
    .option('--reason <text>', 'for whoever finds it stopped')
    .action(({ reason }: { reason?: string }) => withDatabase((db) => stop(db, 'posting', reason ?? null)))

  posting
    .command('resume')
    .description('post again; what waits is due at once')
    .action(() => withDatabase((db) => resume(db, 'posting')))
}
