import { COMPONENTS, type ComponentType } from '../../components.ts'
import { type Counts, HOST, perComponent } from '../../ecs-capacity.ts'
import { ASSUMPTIONS } from './assumptions.ts'
import { surplusVcpus } from './hosts.ts'
import type { Installation } from './installation.ts'
import { hourly, type Line, monthly, totalOf } from './line.ts'
import { HOURS_A_MONTH, PRICES, type PriceName } from './prices.ts'
import { sharedLines } from './shared-lines.ts'
import { type FargateKind, taskHour } from './task-price.ts'
import type { Use } from './use.ts'

export const PLATFORMS = ['pm2', 'ecs-ec2', 'fargate-x86', 'fargate-arm', 'fargate-spot'] as const
export type Platform = (typeof PLATFORMS)[number]

export interface Bill {
  readonly platform: Platform
  readonly use: string
  /** What runs the tasks. */
  readonly compute: readonly Line[]
  /** What the documents leave out. */
  readonly hidden: readonly Line[]
  readonly computeDollars: number
  readonly totalDollars: number
}

/** What a month of this use costs on a platform. */
export function billFor(platform: Platform, use: Use, installation: Installation): Bill {
  const compute = computeLines(platform, use, installation.utilisation)
  const hidden = platform === 'pm2' ? machineLines() : sharedLines(platform === 'ecs-ec2', use, installation)
  const computeDollars = totalOf(compute)
  return {
    platform,
    use: use.name,
    compute,
    hidden,
    computeDollars,
    totalDollars: computeDollars + totalOf(hidden),
  }
}

function computeLines(platform: Platform, use: Use, utilisation: number): Line[] {
  switch (platform) {
    case 'pm2':
      return [hourly(`${HOST.name}, ${processes()} processes`, 1, 't3Xlarge')]
    case 'ecs-ec2':
      return [
        hourly(HOST.name, use.hosts, 't3Xlarge'),
        hourly('T3 surplus, vCPUs', surplusVcpus(use.tasks, use.hosts, utilisation), 't3Surplus'),
      ]
    case 'fargate-x86':
      return fargateLines(use.tasks, 'x86')
    case 'fargate-arm':
      return fargateLines(use.tasks, 'arm')
    case 'fargate-spot':
      return spotLines(use.tasks)
  }
}

/** US dollars a month for so many tasks on Fargate, by component. */
export function fargateLines(tasks: Counts, kind: FargateKind, share = 1, where = ''): Line[] {
  const prices: PriceName[] =
    kind === 'arm' ? ['fargateArmCpu', 'fargateArmMemory'] : ['fargateX86Cpu', 'fargateX86Memory']
  return Object.entries(tasks).map(([type, quantity]) => ({
    what: `${COMPONENTS[type as ComponentType].name} tasks${where}`,
    quantity,
    prices,
    dollars: quantity * taskHour(type as ComponentType, kind) * share * HOURS_A_MONTH,
  }))
}

/** As infra/ecs/service.ts places them: the least count is never on Spot, whatever is beyond it is. */
function spotLines(tasks: Counts): Line[] {
  const kept = perComponent((type) => Math.min(tasks[type], COMPONENTS[type].tasks.min))
  const beyond = perComponent((type) => tasks[type] - kept[type])
  const spot = fargateLines(beyond, 'x86', PRICES.fargateSpotShare.value, ' on Spot, at best')
  return [
    ...fargateLines(kept, 'x86'),
    ...spot
      .filter(({ quantity }) => quantity > 0)
      .map((line) => ({ ...line, prices: [...line.prices, 'fargateSpotShare'] as const })),
  ]
}

/** PM2's machine has PostgreSQL and RabbitMQ on its own disk. */
function machineLines(): Line[] {
  return [
    monthly('its disk, GB', ASSUMPTIONS.machineDiskGb.value, 'gp3'),
    hourly('its public address', 1, 'address'),
  ]
}

function processes(): number {
  return Object.values(COMPONENTS).reduce((sum, { pm2 }) => sum + pm2.instances, 0)
}
