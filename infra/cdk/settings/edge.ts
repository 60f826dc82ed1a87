import type { Launch } from '../../ecs/shapes.ts'
import { type Context, invalid, LOOKS, list, matching, text } from './context.ts'

/** Who answers behind a load balancer: PM2 on the old machine, tasks on hosts, tasks on Fargate. */
export const ORIGINS = ['pm2', 'ec2', 'fargate'] as const
export type Origin = (typeof ORIGINS)[number]

/** Where Docker publishes containers with hostPort 0: Linux' own range of ports. */
export const DYNAMIC_PORTS = { from: 32_768, to: 61_000 }

/** Origin → its share of the requests, 0 to 999. Who is not in it has no target group. */
export type Weights = Readonly<Partial<Record<Origin, number>>>

export interface Edge {
  /** ARN; without it and without a zone, CloudFormation asks for it when it deploys. */
  readonly certificate: string | undefined
  /** In it the certificate is proved and the names are entered. */
  readonly zone: { readonly id: string; readonly name: string } | undefined
  readonly webhookDomain: string | undefined
  readonly apiDomain: string | undefined
  /** Who may call the API from outside; nobody: its load balancer has no public address. */
  readonly apiFrom: string[]
  readonly weights: Weights
  /** The instance that PM2 runs on. */
  readonly pm2Machine: string | undefined
  /** Of the machines that are not made here: PM2's, and hosts that are registered. */
  readonly machineSecurityGroup: string | undefined
}

/** @throws SettingsError SETTING_INVALID */
export function readEdge(context: Context, launch: Launch): Edge {
  const zone = readZone(context)
  const webhookDomain = matching(context, 'webhookDomain', LOOKS.domain, 'a domain')
  const apiDomain = matching(context, 'apiDomain', LOOKS.domain, 'a domain')
  const certificate = matching(context, 'certificate', LOOKS.certificate, 'the ARN of a certificate')
  if (zone && !(webhookDomain && apiDomain)) {
    throw invalid('hostedZone', 'needs names to enter', 'Give -c webhookDomain=… and -c apiDomain=… as well.')
  }
  const pm2Machine = matching(context, 'pm2Machine', /^i-([0-9a-f]{8}|[0-9a-f]{17})$/, 'an instance as i-…')
  const weights = readWeights(context, launch)
  if (weights.pm2 !== undefined && pm2Machine === undefined) {
    throw invalid('weights', 'names pm2, and pm2Machine is missing', 'Give -c pm2Machine=i-….')
  }
  const machineSecurityGroup = matching(
    context,
    'machineSecurityGroup',
    LOOKS.securityGroup,
    'a security group as sg-…',
  )
  const apiFrom = list(context, 'apiFrom', LOOKS.cidr, 'a range of addresses')
  if (apiFrom.some((range) => range.endsWith('/0'))) {
    throw invalid('apiFrom', 'lets in everybody', 'Name who may call the API.')
  }
  return { certificate, zone, webhookDomain, apiDomain, apiFrom, weights, pm2Machine, machineSecurityGroup }
}

/** `Z123/example.org` */
function readZone(context: Context): Edge['zone'] {
  const value = matching(context, 'hostedZone', /^Z[A-Z0-9]+\/([a-z0-9-]+\.)+[a-z]{2,}$/, 'a zone as Z…/name')
  const [id, name] = value?.split('/') ?? []
  return id && name ? { id, name } : undefined
}

/** `ec2:90,fargate:10`; without it, all to where tasks are launched. */
function readWeights(context: Context, launch: Launch): Weights {
  const value = text(context, 'weights')
  if (value === undefined) return { [launch]: 1 }
  const weights: Partial<Record<Origin, number>> = {}
  for (const part of value.split(',')) {
    const [name, weight = ''] = part.trim().split(':')
    const origin = ORIGINS.find((each) => each === name)
    if (!origin || !/^\d{1,3}$/.test(weight)) {
      const help = `Give shares of 0 to 999 of ${ORIGINS.join(', ')}: -c weights=pm2:90,ec2:10.`
      throw invalid('weights', `has ${part} in it`, help)
    }
    weights[origin] = Number(weight)
  }
  if (weights[launch] === undefined) {
    throw invalid(
      'weights',
      `does not name ${launch}`,
      `Give it a share, at first 0: -c weights=${value},${launch}:0.`,
    )
  }
  if (Object.values(weights).every((weight) => weight === 0)) {
    throw invalid('weights', 'sends requests to nobody', 'Give one of them a share.')
  }
  return weights
}
