import { type Counts, inWords, mostOf, ofTable, TYPES } from '../../../src/ecs-capacity.ts'
import { CLUSTER, type EnvironmentName } from '../../../src/ecs-names.ts'
import type { Launch } from '../../ecs/shapes.ts'
import { invalid, LOOKS, list, matching, oneOf, openContext } from './context.ts'
import { type Edge, readEdge } from './edge.ts'
import { hostsOf, readAsked } from './hosts.ts'
import { INSTANCES } from './plan-hosts.ts'
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
  const network = readNetwork(context)
  const asked = readAsked(context)
  const edge = readEdge(context, launch)
  requireTheirNetwork(network, launch === 'ec2' && asked.machines === 'registered', edge)
  const hosts = launch === 'ec2' ? hostsOf(asked, environment) : undefined
  const fargate = {
    architecture: oneOf(context, 'architecture', ['arm64', 'x86_64']),
    spot: oneOf(context, 'spot', ['no', 'yes']) === 'yes',
  }
  const settings = {
    environment,
    launch,
    region,
    // Named, so that nothing has to be looked up, and no subnet moves when AWS adds a zone.
    zones: zones.length === 2 ? zones : [`${region}a`, `${region}b`],
    cluster: matching(context, 'cluster', /^[A-Za-z0-9_-]{1,255}$/, "a cluster's name") ?? CLUSTER,
    network,
    database: readDatabase(context, environment),
    broker: readBroker(context, environment),
    hosts,
    counts: hosts?.counts ?? fargateCounts(environment, asked.counts, asked.max),
    architecture: hosts ? INSTANCES[hosts.instance].architecture : fargate.architecture,
    spot: launch === 'fargate' && fargate.spot,
    edge,
    imagesFrom: matching(context, 'imagesFrom', /^\d{12}$/, 'the number of an account'),
    imagesTo: matching(context, 'imagesTo', /^\d{12}$/, 'the number of an account'),
    alarmEmail: matching(context, 'alarmEmail', /^[^@\s]+@[^@\s]+$/, 'an e-mail address'),
    ...readVariables(context),
  }
  const [unknown] = context.unread()
  if (unknown !== undefined) {
    throw new SettingsError(
      'SETTING_UNKNOWN',
      `There is no setting ${unknown}.`,
      `There are ${context.known().join(', ')}.`,
    )
  }
  return settings
}

/** A machine that is there lives in a network that is there, and one that is made here does not reach it. */
function requireTheirNetwork(network: unknown, isRegistered: boolean, edge: Edge): void {
  const setting = isRegistered ? 'machines=registered' : 'pm2Machine'
  if (!isRegistered && edge.pm2Machine === undefined) return
  if (network === undefined) {
    const help =
      'Give the network that the machine is in: -c vpc=… -c vpcCidr=… -c publicSubnets=… -c privateSubnets=….'
    throw invalid('vpc', `is missing with ${setting}`, help)
  }
  if (edge.machineSecurityGroup === undefined) {
    const help =
      'Give the security group of the machines: -c machineSecurityGroup=sg-…. The load balancers are let in there.'
    throw invalid('machineSecurityGroup', `is missing with ${setting}`, help)
  }
}

function fargateCounts(environment: EnvironmentName, min = ofTable('min'), asked?: Counts) {
  const max = asked ?? mostOf(environment)
  if (TYPES.some((type) => min[type] > max[type])) {
    throw invalid('counts', `are more than ${inWords(max)}`, 'Give -c max=… as well, or fewer.')
  }
  return { min, max }
}
