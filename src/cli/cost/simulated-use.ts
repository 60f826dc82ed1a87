import { valuesWith } from '../simulate/inputs.ts'
import { outcomeOf } from '../simulate/outcome.ts'
import { ourPolicy } from '../simulate/policy.ts'
import { WORKING_DAY } from '../simulate/trace.ts'
import { hostsFor } from './hosts.ts'
import type { Use } from './use.ts'

/** What our scaling makes of a working day, as if every day of the month were one. */
export function simulatedUse(): Use {
  const outcome = outcomeOf({ trace: WORKING_DAY, policy: ourPolicy(), values: valuesWith(), seed: 1 })
  const minutes = WORKING_DAY.seconds / 60
  const hostMinutes = outcome.samples.reduce((sum, { tasks }) => sum + hostsFor(tasks), 0)
  return {
    name: 'simulated',
    tasks: outcome.average,
    hosts: hostMinutes / outcome.samples.length,
    webhooksPerMinute: outcome.arrived.webhooks / minutes,
    apiRequestsPerMinute: outcome.arrived.requests / minutes,
  }
}
