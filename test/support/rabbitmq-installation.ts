import { existsSync, globSync, realpathSync } from 'node:fs'
import path from 'node:path'
import { debianRoot } from './rabbitmq-from-debian.ts'

/** The two that the tests run on, and the release of Debian that has each: 3.10 and 4.0. */
export const DEBIAN_OF = { '3': 'bookworm', '4': 'trixie' } as const
export type Series = keyof typeof DEBIAN_OF
export const seriesKnown: readonly Series[] = ['3', '4']

export interface RabbitmqInstallation {
  /** Where RabbitMQ's own scripts are. */
  scripts: string
  /** Where its Erlang is, if not among the system's programs. */
  erlang?: string
}

/** Debian's package, then Homebrew's. The scripts in /usr/sbin insist on the system's one node. */
const SYSTEM = [
  '/usr/lib/rabbitmq/lib/*/sbin',
  '/opt/homebrew/opt/rabbitmq/sbin',
  '/usr/local/opt/rabbitmq/sbin',
]

/** Of a series, or of the oldest that is installed; the system's rather than one we made. */
export function findRabbitmq(series?: Series): RabbitmqInstallation | undefined {
  const [found] = (series ? [series] : seriesKnown).flatMap((each) => findSeries(each) ?? [])
  return found
}

function findSeries(series: Series): RabbitmqInstallation | undefined {
  const ofSystem = findScripts(SYSTEM).find((scripts) => seriesOf(scripts) === series)
  if (ofSystem) return { scripts: ofSystem }
  const root = debianRoot(DEBIAN_OF[series])
  const [ours] = findScripts([path.join(root, 'usr/lib/rabbitmq/lib/*/sbin')])
  if (!ours) return undefined
  return { scripts: ours, erlang: path.join(root, 'usr/lib/erlang/bin') }
}

function findScripts(patterns: readonly string[]): string[] {
  return globSync(patterns).filter((directory) => existsSync(path.join(directory, 'rabbitmq-server')))
}

/** Both put the version into a folder's name: `rabbitmq_server-3.10.8`, `Cellar/rabbitmq/4.0.5`. */
function seriesOf(scripts: string): string | undefined {
  return /(?:rabbitmq_server-|rabbitmq\/)(\d+)\./.exec(realpathSync(scripts))?.[1]
}
