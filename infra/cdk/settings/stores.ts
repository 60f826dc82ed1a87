import { BROKERS, databaseOf } from '../../../src/cli/cost/store-sizes.ts'
import type { EnvironmentName } from '../../../src/ecs-names.ts'
import { type Context, invalid, LOOKS, list, matching, oneOf } from './context.ts'

/** A store that exists: the ARN of the secret with its whole URL, and the group that must let tasks in, if it is ours to change. */
export interface ExistingStore {
  readonly urlSecret: string
  readonly securityGroup: string | undefined
}

/** A store that is made, on instances of this type. */
export interface MadeStore {
  readonly instance: string
}

export interface ExistingNetwork {
  readonly vpc: string
  readonly cidr: string
  readonly publicSubnets: string[]
  readonly privateSubnets: string[]
}

/** @throws SettingsError SETTING_INVALID */
export function readDatabase(context: Context, environment: EnvironmentName): ExistingStore | MadeStore {
  const instance = matching(
    context,
    'databaseInstance',
    /^db\.[a-z0-9]+\.[a-z0-9]+$/,
    'a type as db.m7g.large',
  )
  return readExisting(context, 'database') ?? { instance: instance ?? databaseOf(environment).name }
}

/** Undefined: PostgreSQL is the queue. @throws SettingsError SETTING_INVALID */
export function readBroker(
  context: Context,
  environment: EnvironmentName,
): ExistingStore | MadeStore | undefined {
  const instance = matching(context, 'brokerInstance', /^mq\.m7g\.[a-z0-9]+$/, 'a type as mq.m7g.large')
  const existing = readExisting(context, 'broker')
  if (oneOf(context, 'broker', ['rabbitmq', 'none']) === 'none') return undefined
  return existing ?? { instance: instance ?? BROKERS[environment].name }
}

/** Undefined: one is made. @throws SettingsError SETTING_INVALID */
export function readNetwork(context: Context): ExistingNetwork | undefined {
  const vpc = matching(context, 'vpc', /^vpc-([0-9a-f]{8}|[0-9a-f]{17})$/, 'a VPC as vpc-…')
  const cidr = matching(context, 'vpcCidr', LOOKS.cidr, 'a range of addresses')
  const subnet = /^subnet-([0-9a-f]{8}|[0-9a-f]{17})$/
  const publicSubnets = list(context, 'publicSubnets', subnet, 'a subnet')
  const privateSubnets = list(context, 'privateSubnets', subnet, 'a subnet')
  if (vpc === undefined) return undefined
  if (cidr === undefined || publicSubnets.length !== 2 || privateSubnets.length !== 2) {
    const help = 'Give -c vpcCidr=…, and two publicSubnets and two privateSubnets in the order of the zones.'
    throw invalid('vpc', 'needs its addresses and subnets', help)
  }
  return { vpc, cidr, publicSubnets, privateSubnets }
}

function readExisting(context: Context, store: 'database' | 'broker'): ExistingStore | undefined {
  const urlSecret = matching(context, `${store}UrlSecret`, LOOKS.secret, 'the ARN of a secret')
  const securityGroup = matching(
    context,
    `${store}SecurityGroup`,
    LOOKS.securityGroup,
    'a security group as sg-…',
  )
  return urlSecret === undefined ? undefined : { urlSecret, securityGroup }
}
