import { COMPONENTS, type ComponentType } from '../../components.ts'
import { perComponent } from '../../ecs-capacity.ts'
import { fargateLines } from './bill.ts'
import { hourly, totalOf } from './line.ts'
import { countedUse } from './use.ts'

/** What the plan that this installation follows says a month costs, in US dollars. */
const SAID = {
  machine: 150,
  fargate: { webhook: 15, api: 50, worker: 200 } satisfies Record<ComponentType, number>,
}

export interface Difference {
  readonly what: string
  readonly said: number
  readonly ours: number
  readonly why: string
}

/** The documents' figures beside ours, and why they differ. */
export function documentsBesideOurs(): Difference[] {
  const desired = countedUse('desired')
  const least = countedUse('min')
  const fargate = totalOf(fargateLines(desired.tasks, 'x86'))
  const each = Object.entries(SAID.fargate).map(([name, said]): Difference => {
    const type = name as ComponentType
    const count = desired.tasks[type]
    const ours = totalOf(
      fargateLines(
        perComponent((other) => (other === type ? count : 0)),
        'x86',
      ),
    )
    return {
      what: `Fargate, ${count} × ${COMPONENTS[type].name}`,
      said,
      ours,
      why: `"average use": ${said} dollars pay for ${((said / ours) * count).toFixed(1)} of them running all month; the least count is ${least.tasks[type]}`,
    }
  })
  const said = Object.values(SAID.fargate).reduce((sum, dollars) => sum + dollars, 0)
  return [
    {
      what: 'the t3.xlarge of PM2',
      said: SAID.machine,
      ours: hourly('', 1, 't3Xlarge').dollars,
      why: 'the list price; disk and address come to it, and T3 surplus when it is busy',
    },
    {
      what: 'ECS on EC2, "the same machine"',
      said: SAID.machine,
      ours: hourly('', desired.hosts, 't3Xlarge').dollars,
      why: `the desired counts, and room for one more task of any component in an update, need ${desired.hosts} such machines; one holds one task of each`,
    },
    ...each,
    {
      what: 'Fargate, all desired tasks',
      said,
      ours: fargate,
      why: `the least counts alone are $${totalOf(fargateLines(least.tasks, 'x86')).toFixed(2)}; no load balancer, NAT, address, log, database or broker is in it`,
    },
  ]
}
