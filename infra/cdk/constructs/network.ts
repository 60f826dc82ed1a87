import * as ec2 from 'aws-cdk-lib/aws-ec2'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import type { Construct } from 'constructs'
import type { Settings } from '../settings/settings.ts'
import { LOG_RETENTION } from './log-retention.ts'

export interface Network {
  readonly vpc: ec2.IVpc
  /** Addresses of everything in it. */
  readonly cidr: string
  readonly public: ec2.SubnetSelection
  /** Where tasks and hosts are: no way in, a way out by NAT. */
  readonly tasks: ec2.SubnetSelection
  /** Where the stores are: no way in or out. */
  readonly stores: ec2.SubnetSelection
}

const CIDR = '10.60.0.0/16'
const TASKS = 'tasks'
const STORES = 'stores'

/**
 * Two availability zones. In production each has a NAT gateway of its own, so that one zone's end is not both's. Images and logs pass
 * by it: layers come from S3, whose gateway endpoint costs nothing; an interface endpoint costs as much in two zones as
 * 320 GB a month through the NAT gateway, more than three components pull and log.
 */
export function makeNetwork(
  scope: Construct,
  { environment, zones, network }: Pick<Settings, 'environment' | 'zones' | 'network'>,
): Network {
  if (network) return existing(scope, zones, network)
  const vpc = new ec2.Vpc(scope, 'Vpc', {
    ipAddresses: ec2.IpAddresses.cidr(CIDR),
    availabilityZones: [...zones],
    natGateways: environment === 'production' ? 2 : 1,
    subnetConfiguration: [
      { name: 'public', subnetType: ec2.SubnetType.PUBLIC, cidrMask: 24, mapPublicIpOnLaunch: false },
      { name: TASKS, subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 20 },
      { name: STORES, subnetType: ec2.SubnetType.PRIVATE_ISOLATED, cidrMask: 24 },
    ],
    gatewayEndpoints: { S3: { service: ec2.GatewayVpcEndpointAwsService.S3 } },
  })
  // What was refused is what one looks for; all of it would cost more than the components' own logs.
  vpc.addFlowLog('Refused', {
    trafficType: ec2.FlowLogTrafficType.REJECT,
    destination: ec2.FlowLogDestination.toCloudWatchLogs(flowLogs(scope, environment)),
  })
  return {
    vpc,
    cidr: CIDR,
    public: { subnetType: ec2.SubnetType.PUBLIC },
    tasks: { subnetGroupName: TASKS },
    stores: { subnetGroupName: STORES },
  }
}

function flowLogs(scope: Construct, environment: Settings['environment']): LogGroup {
  return new LogGroup(scope, 'FlowLogs', { retention: LOG_RETENTION[environment] })
}

function existing(
  scope: Construct,
  zones: string[],
  { vpc, cidr, publicSubnets, privateSubnets }: NonNullable<Settings['network']>,
): Network {
  const imported = ec2.Vpc.fromVpcAttributes(scope, 'Vpc', {
    vpcId: vpc,
    vpcCidrBlock: cidr,
    availabilityZones: zones,
    publicSubnetIds: publicSubnets,
    privateSubnetIds: privateSubnets,
  })
  const tasks = { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS }
  return { vpc: imported, cidr, public: { subnetType: ec2.SubnetType.PUBLIC }, tasks, stores: tasks }
}
