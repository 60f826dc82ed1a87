import { CLUSTER, type EnvironmentName } from '../../../src/ecs-names.ts'
import type { Launch } from '../../ecs/shapes.ts'
import { type Counts, inWords, TYPES } from '../capacity/fits.ts'
import { INSTANCES, mostOf, ofTable } from '../capacity/plan-hosts.ts'
import { invalid, LOOKS, list, matching, oneOf, openContext } from './context.ts'
import { readEdge } from './edge.ts'
import { readCounts, readHosts } from './hosts.ts'
import { SettingsError } from './settings-error.ts'
import { readBroker, readDatabase, readNetwork } from './stores.ts'
import { readVariables } from './variables.ts'

/** The whole of what is decided about an installation before it is made. */
export type Settings = ReturnType<typeof readSettings>

/**
 * What the context says, with defaults for everything: `-c env=staging|production -c launch=ec2|fargate` is enough. Names are the same
 * in both environments, so each has an account of its own.
 *
 * @throws SettingsError SETTING_INVALID, SETTING_UNKNOWN, HOSTS_TOO_FEW, HOSTS_TOO_SMALL
 */
export function readSettings(given: Readonly<Record<string, unknown>>) {
  const context = openContext(given)
  const environment: EnvironmentName = oneOf(context, 'env', ['staging', 'production'])
  const launch: Launch = oneOf(context, 'launch', ['ec2', 'fargate'])
  const region = matching(context, 'region', LOOKS.region, 'a region') ?? 'us-east-1'
  const zones = list(context, 'zones', LOOKS.zone, 'an availability zone')
  if (zones.length !== 0 && zones.length !== 2) throw invalid('zones', 'are not two', 'Give two, or none.')
  const hosts = launch === 'ec2' ? readHosts(context, environment) : undefined
  const settings = {
    environment,
    launch,
    region,
    // Named, so that nothing has to be looked up, and no subnet moves when AWS adds a zone.
    zones: zones.length === 2 ? zones : [`${region}a`, `${region}b`],
    cluster: matching(context, 'cluster', /^[A-Za-z0-9_-]{1,255}$/, "a cluster's name") ?? CLUSTER,
    network: readNetwork(context),
    database: readDatabase(context, environment),
    broker: readBroker(context, environment),
    hosts,
    counts:
      hosts?.counts ?? fargateCounts(environment, readCounts(context, 'counts'), readCounts(context, 'max')),
    architecture: hosts
      ? INSTANCES[hosts.instance].architecture
      : oneOf(context, 'architecture', ['arm64', 'x86_64']),
    spot: launch === 'fargate' && oneOf(context, 'spot', ['no', 'yes']) === 'yes',
    edge: readEdge(context, launch),
    alarmEmail: matching(context, 'alarmEmail', /^[^@\s]+@[^@\s]+$/, 'an e-mail address'),
    ...readVariables(context),
  }
  const [unknown] = context.unread()
  if (unknown !== undefined) {
    throw new SettingsError(
      'SETTING_UNKNOWN',
      `There is no setting ${unknown} with launch=${launch}.`,
      'docs/deploying.md lists them.',
    )
  }
  return settings
}

function fargateCounts(environment: EnvironmentName, min = ofTable('min'), asked?: Counts) {
  const max = asked ?? mostOf(environment)
  if (TYPES.some((type) => min[type] > max[type])) {
    throw invalid('counts', `are more than ${inWords(max)}`, 'Give -c max=… as well, or fewer.')
  }
  return { min, max }
}
