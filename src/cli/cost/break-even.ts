import { COMPONENTS, CPU_UNITS_PER_VCPU } from '../../components.ts'
import { type Counts, perComponent } from '../../ecs-capacity.ts'
import { ASSUMPTIONS } from './assumptions.ts'
import { fargateLines } from './bill.ts'
import { HOST_VCPUS, hostsFor, surplusVcpus } from './hosts.ts'
import { hourly, monthly, totalOf } from './line.ts'
import type { FargateKind } from './task-price.ts'

/** Where ECS on EC2 and Fargate cost the same. */
export interface BreakEven {
  readonly kind: FargateKind
  /** The share of a host's CPU units that tasks have to reserve for it to cost no more than Fargate; above 1: never. */
  readonly reservedShare: number
  /** The same when tasks use 70 % of what they reserve, and T3 bills the surplus. */
  readonly reservedShareWhenBusy: number
  /** Numbers of workers, with the others in the proportion of the desired counts, at which EC2 is the cheaper. */
  readonly ec2CheaperAtWorkers: readonly number[]
}

/** What target tracking on processor time keeps tasks at. */
const BUSY = 0.7

/** Compares what runs the tasks alone: what stands around them is the same for both. */
export function breakEven(kind: FargateKind, utilisation: number): BreakEven {
  const { min, max } = COMPONENTS.worker.tasks
  const workers = Array.from({ length: max - min + 1 }, (_, i) => min + i)
  return {
    kind,
    reservedShare: shareOfHost(kind, utilisation),
    reservedShareWhenBusy: shareOfHost(kind, BUSY),
    ec2CheaperAtWorkers: workers.filter((count) => {
      const tasks = mixWith(count)
      return hostsDollars(tasks, utilisation) < totalOf(fargateLines(tasks, kind))
    }),
  }
}

/** US dollars a month for the hosts that so many tasks need, with their disks and surplus. */
export function hostsDollars(tasks: Counts, utilisation: number): number {
  const hosts = hostsFor(tasks)
  return totalOf([
    hourly('', hosts, 't3Xlarge'),
    hourly('', surplusVcpus(tasks, hosts, utilisation), 't3Surplus'),
    monthly('', hosts * ASSUMPTIONS.hostDiskGb.value, 'gp3'),
  ])
}

/** As many workers, and the others as many as there are of them beside the desired workers. */
export function mixWith(workers: number): Counts {
  const { desired } = COMPONENTS.worker.tasks
  return perComponent((type) => Math.ceil((COMPONENTS[type].tasks.desired * workers) / desired))
}

/**
 * Tasks pay Fargate for a vCPU and 2 GB each, in every size of the table; a host costs the same empty and full, and more
 * where tasks use more than its baseline.
 */
function shareOfHost(kind: FargateKind, utilisation: number): number {
  const whole = {
    webhook: 0,
    api: 0,
    worker: (HOST_VCPUS * CPU_UNITS_PER_VCPU) / COMPONENTS.worker.task.cpuUnits,
  }
  const full = totalOf(fargateLines(whole, kind))
  const idle = hostDollars()
  const fromBaseline = ASSUMPTIONS.t3Baseline.value / utilisation
  const flat = idle / full
  if (flat <= fromBaseline) return flat
  // Beyond the baseline each further share adds surplus: idle + surplus × (share − fromBaseline) = full × share.
  const surplus = hourly('', HOST_VCPUS * utilisation, 't3Surplus').dollars
  return surplus >= full ? Number.POSITIVE_INFINITY : (idle - surplus * fromBaseline) / (full - surplus)
}

function hostDollars(): number {
  return totalOf([hourly('', 1, 't3Xlarge'), monthly('', ASSUMPTIONS.hostDiskGb.value, 'gp3')])
}
