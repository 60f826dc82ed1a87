/** Task sizes that Fargate has on Linux: CPU units, then least, most and steps of MiB (AWS, "Task CPU and memory"). */
const SIZES = [
  [256, 512, 1024, 512],
  [256, 2048, 2048, 1],
  [512, 1024, 4096, 1024],
  [1024, 2048, 8192, 1024],
  [2048, 4096, 16_384, 1024],
  [4096, 8192, 30_720, 1024],
  [8192, 16_384, 61_440, 4096],
  [16_384, 32_768, 122_880, 8192],
] as const

/** Whether Fargate runs a task of this size; it refuses all others. */
export function isFargateSize(cpuUnits: number, memoryMib: number): boolean {
  return SIZES.some(
    ([cpu, least, most, step]) =>
      cpu === cpuUnits && memoryMib >= least && memoryMib <= most && (memoryMib - least) % step === 0,
  )
}
