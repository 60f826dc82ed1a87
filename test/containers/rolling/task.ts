import { COMPONENTS, type ComponentType, CPU_UNITS_PER_VCPU } from '../../../src/components.ts'
import type { Engine } from '../engine.ts'
import { runCommand } from '../run-command.ts'

/** What every container of a service has in common, whatever its image. */
export interface TaskDefinition {
  type: ComponentType
  network: string
  /** A file with its settings, as `docker run --env-file` reads it: they are no arguments, which everybody may read. */
  settings: string
  /** `<directory here>:<directory inside>:ro` */
  mounts?: readonly string[]
}

export interface TaskStatus {
  running: boolean
  /** What its HEALTHCHECK says. */
  health: 'starting' | 'healthy' | 'unhealthy'
  exitCode: number
  /** Whether the kernel ended it for want of memory. */
  outOfMemory: boolean
}

/** The platform's numbers, not the image's: ECS too takes them from the task definition alone. */
const HEALTH_CHECK = [
  '--health-interval=5s',
  '--health-timeout=10s',
  '--health-start-period=15s',
  '--health-retries=3',
]

const STATUS = `{"id": {{json .Id}}, "running": {{.State.Running}}, "health": {{json .State.Health.Status}},
"exitCode": {{.State.ExitCode}}, "outOfMemory": {{.State.OOMKilled}}}`

/** The arguments of `docker run` that give a container what the table of components says, and nothing more. */
export function limitsOf(type: ComponentType): string[] {
  const { cpuUnits, memoryMb } = COMPONENTS[type].task
  return [
    `--cpus=${cpuUnits / CPU_UNITS_PER_VCPU}`,
    // ECS gives the units as weights too: who asks for more is not served before those who keep to theirs.
    `--cpu-shares=${cpuUnits}`,
    `--memory=${memoryMb}m`,
    `--memory-swap=${memoryMb}m`,
    '--read-only',
    '--tmpfs=/tmp:rw,noexec,nosuid,nodev,size=64m',
    '--cap-drop=ALL',
    '--security-opt=no-new-privileges',
  ]
}

/** Starts a container. @param more options of `docker run` on top. @returns its id */
export async function startTask(
  engine: Engine,
  name: string,
  image: string,
  task: TaskDefinition,
  more: readonly string[] = [],
): Promise<string> {
  return await engine.docker(
    'run',
    '--detach',
    `--name=${name}`,
    `--network=${task.network}`,
    `--env-file=${task.settings}`,
    ...limitsOf(task.type),
    ...HEALTH_CHECK,
    ...(task.mounts ?? []).map((mount) => `--volume=${mount}`),
    ...more,
    image,
  )
}

export async function inspectTasks(engine: Engine, ids: readonly string[]): Promise<Map<string, TaskStatus>> {
  if (ids.length === 0) return new Map()
  const lines = await engine.docker('inspect', `--format=${STATUS.replaceAll('\n', ' ')}`, ...ids)
  return new Map(
    lines.split('\n').map((line) => {
      const { id, ...status } = JSON.parse(line)
      return [id, status]
    }),
  )
}

/** SIGTERM, and SIGKILL when the component has not ended in the time that the table grants it. */
export async function stopTask(engine: Engine, id: string, type: ComponentType): Promise<void> {
  await engine.docker('stop', `--time=${COMPONENTS[type].stop.grantedSeconds}`, id)
}

/** The last lines of what it wrote, to either stream. */
export async function lastWords(engine: Engine, id: string, lines = 5): Promise<string> {
  const script = 'docker logs --tail "$1" "$2" 2>&1'
  return await runCommand('sh', ['-c', script, 'sh', String(lines), id], { env: engine.env })
}
