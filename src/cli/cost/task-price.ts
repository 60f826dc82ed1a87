import { COMPONENTS, type ComponentType, CPU_UNITS_PER_VCPU } from '../../components.ts'
import { PRICES } from './prices.ts'

export type FargateKind = 'x86' | 'arm'

const GB_IN_MB = 1024

/**
 * US dollars an hour for one task of a component on Fargate. A task's 20 GB of disk are included, and enough: a worker
 * keeps 2 GB of repositories (GIT_CACHE_MEGABYTES).
 */
export function taskHour(type: ComponentType, kind: FargateKind): number {
  const { cpuUnits, memoryMb } = COMPONENTS[type].task
  const [cpu, memory] =
    kind === 'arm'
      ? [PRICES.fargateArmCpu, PRICES.fargateArmMemory]
      : [PRICES.fargateX86Cpu, PRICES.fargateX86Memory]
  return (cpuUnits / CPU_UNITS_PER_VCPU) * cpu.value + (memoryMb / GB_IN_MB) * memory.value
}
