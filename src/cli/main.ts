#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { addBuild } from './commands/build.ts'
import { addCost } from './commands/cost.ts'
import { addDeliveries } from './commands/deliveries.ts'
import { addDemo } from './commands/demo.ts'
import { addDeploy } from './commands/deploy.ts'
import { addDoctor } from './commands/doctor.ts'
import { addJobs } from './commands/jobs.ts'
import { addKeys } from './commands/keys.ts'
import { addPosting } from './commands/posting.ts'
import { addReview } from './commands/review.ts'
import { addRollback } from './commands/rollback.ts'
import { addSetup } from './commands/setup.ts'
import { addSimulate } from './commands/simulate.ts'
import { addUp } from './commands/up.ts'
import { loadCheckoutSettings } from './config.ts'
import { EXIT_FAILED, reportFailure } from './failure.ts'
import { version } from './installation.ts'

const program = new Command('kodus')
  .description('Self-hosted AI code review.')
  .version(version)
  .showHelpAfterError('(kodus --help lists the commands)')
  .exitOverride()

// `up` and `demo` bring a stack of their own; the others join the one that runs.
program.hook('preAction', (_, command) => {
  loadCheckoutSettings({ ofRunningStack: !['up', 'demo'].includes(command.name()) })
})

addReview(program)
addUp(program)
addDemo(program)
addKeys(program)
addSetup(program)
addDeliveries(program)
addJobs(program)
addPosting(program)
addDoctor(program)
addBuild(program)
addDeploy(program)
addRollback(program)
addCost(program)
addSimulate(program)

try {
  await program.parseAsync()
} catch (error) {
  // A wrong command line: commander has said what is wrong. Exit code 1 is kept for "no", as an answer.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : EXIT_FAILED
  else reportFailure(error)
}
