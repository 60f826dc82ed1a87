import { COMPONENTS, type ComponentType } from '../../src/components.ts'
import type { Engine } from '../containers/engine.ts'

/** A container of a task, as the engine knows it. */
export interface TaskContainer {
  id: string
  /** What it was made from, as its task definition names it. */
  image: string
  environment: Readonly<Record<string, string>>
  /** Port inside → ports of the host, where any is published. */
  ports: Readonly<Record<string, readonly string[]>>
}

interface Inspected {
  Id: string
  Config: { Image: string; Env: string[] }
  NetworkSettings: { Ports: Record<string, { HostPort: string }[] | null> }
}

/** The running containers of a component's tasks, oldest first. */
export async function taskContainers(engine: Engine, type: ComponentType): Promise<TaskContainer[]> {
  const ids = (await engine.docker('ps', '--quiet', '--filter', labelOf(type))).split('\n').filter(Boolean)
  if (ids.length === 0) return []
  const all: Inspected[] = JSON.parse(await engine.docker('inspect', ...ids))
  return all.toReversed().map(({ Id, Config, NetworkSettings }) => ({
    id: Id,
    image: Config.Image,
    environment: Object.fromEntries(
      Config.Env.map((each) => [each.slice(0, each.indexOf('=')), each.slice(each.indexOf('=') + 1)]),
    ),
    ports: Object.fromEntries(
      Object.entries(NetworkSettings.Ports).map(([port, published]) => [
        port,
        [...new Set((published ?? []).map(({ HostPort }) => HostPort))],
      ]),
    ),
  }))
}

/** What began and ended of a component's tasks since a time (milliseconds), in its order: `start ID`, `die ID`. */
export async function startsAndEnds(engine: Engine, type: ComponentType, since: number): Promise<string[]> {
  const said = await engine.docker(
    'events',
    `--since=${since / 1000}`,
    `--until=${Date.now() / 1000}`,
    '--filter=event=start',
    '--filter=event=die',
    `--filter=${labelOf(type)}`,
    '--format={{.Action}} {{.Actor.ID}}',
  )
  return said.split('\n').filter(Boolean)
}

function labelOf(type: ComponentType): string {
  return `label=com.amazonaws.ecs.container-name=${COMPONENTS[type].name}`
}
