import * as autoscaling from 'aws-cdk-lib/aws-autoscaling'
import * as ec2 from 'aws-cdk-lib/aws-ec2'
import * as ecs from 'aws-cdk-lib/aws-ecs'
import * as iam from 'aws-cdk-lib/aws-iam'
import { Construct } from 'constructs'
import { COMPONENTS, type ComponentFacts } from '../../../src/components.ts'
import type { Hosts as HostSettings } from '../settings/hosts.ts'
import { INSTANCES } from '../settings/plan-hosts.ts'
import { acknowledge } from './acknowledge.ts'
import type { Network } from './network.ts'

/** What the capacity provider is called. */
export const PROVIDER = 'kodus-hosts'
/** ssh, Docker, and the agent: what it reserves by itself, and has to be said again with more. */
const AGENT_PORTS = [22, 2375, 2376, 51678, 51679, 51680]
/** GiB: the system's image takes 30; the rest holds images and the workers' cache. */
const DISK = 60
/** What the agent asks ECS for; images, logs and secrets are the execution roles'. */
const AGENT_ACTIONS = [
  'ecs:DeregisterContainerInstance',
  'ecs:DiscoverPollEndpoint',
  'ecs:Poll',
  'ecs:RegisterContainerInstance',
  'ecs:StartTelemetrySession',
  'ecs:SubmitAttachmentStateChanges',
  'ecs:SubmitContainerStateChange',
  'ecs:SubmitTaskStateChange',
  'ecs:UpdateContainerInstancesState',
]

/** Machines for the tasks, and the group that their load balancers are let into. */
export class Hosts extends Construct {
  readonly securityGroup: ec2.SecurityGroup
  readonly provider: ecs.CfnCapacityProvider

  constructor(scope: Construct, props: { cluster: string; network: Network; hosts: HostSettings }) {
    super(scope, 'Hosts')
    const { cluster, hosts, network } = props
    const { vpc } = network
    this.securityGroup = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc,
      description: 'Hosts of tasks: let in are their load balancers alone',
    })
    const template = new ec2.LaunchTemplate(this, 'Template', {
      instanceType: new ec2.InstanceType(hosts.instance),
      // Read when an instance is launched: a new one has what AWS last published.
      machineImage: ec2.MachineImage.resolveSsmParameterAtLaunch(imageParameter(hosts.instance)),
      userData: userData(cluster, hosts.reservedMemoryMb),
      role: this.#role(),
      securityGroup: this.securityGroup,
      requireImdsv2: true,
      // Not reached from a container with bridge networking: tasks have their own roles, not the host's.
      httpPutResponseHopLimit: 1,
      detailedMonitoring: true,
      blockDevices: [
        {
          deviceName: '/dev/xvda',
          volume: ec2.BlockDeviceVolume.ebs(DISK, {
            volumeType: ec2.EbsDeviceVolumeType.GP3,
            encrypted: true,
          }),
        },
      ],
    })
    const group = new autoscaling.AutoScalingGroup(this, 'Group', {
      vpc,
      vpcSubnets: network.tasks,
      launchTemplate: template,
      minCapacity: hosts.hosts,
      maxCapacity: hosts.maxHosts,
      // Managed termination protection takes it off a host when no task is left on it.
      newInstancesProtectedFromScaleIn: true,
      groupMetrics: [autoscaling.GroupMetrics.all()],
    })
    this.provider = new ecs.CfnCapacityProvider(this, 'Provider', {
      name: PROVIDER,
      autoScalingGroupProvider: {
        autoScalingGroupArn: group.autoScalingGroupName,
        managedScaling: { status: 'ENABLED', targetCapacity: 100 },
        managedTerminationProtection: 'ENABLED',
        managedDraining: 'ENABLED',
      },
    })
    acknowledge(group, {
      'AwsSolutions-AS3':
        'Hosts come and go with the tasks; what matters of it is in the alarms of the components.',
    })
  }

  #role(): iam.Role {
    const role = new iam.Role(this, 'Role', { assumedBy: new iam.ServicePrincipal('ec2.amazonaws.com') })
    role.addToPolicy(new iam.PolicyStatement({ actions: AGENT_ACTIONS, resources: ['*'] }))
    acknowledge(role, {
      'AwsSolutions-IAM5[Resource::*]':
        'A host is named when it registers, and half of these actions know no resource: it may say what runs on it, no more.',
    })
    return role
  }
}

function imageParameter(instance: HostSettings['instance']): string {
  const folder = INSTANCES[instance].architecture === 'arm64' ? 'arm64/' : ''
  return `/aws/service/ecs/optimized-ami/amazon-linux-2023/${folder}recommended/image_id`
}

/** The agent's settings, in the file it reads when it starts; cloud-init runs this before. */
function userData(cluster: string, reservedMemoryMb: number): ec2.UserData {
  const facts: readonly ComponentFacts[] = Object.values(COMPONENTS)
  const ports = [...AGENT_PORTS, ...facts.flatMap(({ http }) => http?.port ?? [])]
  const longestStop = Math.max(...facts.map(({ stop }) => stop.grantedSeconds))
  const data = ec2.UserData.forLinux()
  data.addCommands(
    "cat >> /etc/ecs/ecs.config <<'END'",
    `ECS_CLUSTER=${cluster}`,
    // PM2's on a machine that had it; kept free on all, so that a definition with a fixed port fails everywhere.
    `ECS_RESERVED_PORTS=[${ports.join(',')}]`,
    `ECS_RESERVED_MEMORY=${reservedMemoryMb}`,
    `ECS_CONTAINER_STOP_TIMEOUT=${longestStop}s`,
    'ECS_ENABLE_TASK_IAM_ROLE=true',
    'ECS_ENABLE_AWSLOGS_EXECUTIONROLE_OVERRIDE=true',
    'ECS_ENABLE_SPOT_INSTANCE_DRAINING=true',
    'END',
  )
  return data
}
