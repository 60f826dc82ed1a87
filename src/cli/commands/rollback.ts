import type { Command } from 'commander'
import { connectToAws } from '../deploy/aws-call.ts'
import { addTargetOptions, runFollowed, type TargetFlags } from '../deploy/follow-command.ts'
import { rollBack } from '../deploy/roll-back.ts'

export function addRollback(program: Command): void {
  addTargetOptions(
    program
      .command('rollback')
      .description('put back what a service on ECS ran before, and say whether it works'),
  ).action((component: string, flags: TargetFlags) =>
    runFollowed(component, flags, async (target, options) => {
      const call = await connectToAws({ region: flags.region, say: options.progress.say })
      return rollBack(call, target, options)
    }),
  )
}
