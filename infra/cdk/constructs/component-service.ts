import { RemovalPolicy } from 'aws-cdk-lib'
import * as ecs from 'aws-cdk-lib/aws-ecs'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import { StringParameter } from 'aws-cdk-lib/aws-ssm'
import { Construct } from 'constructs'
import { COMPONENTS, type ComponentType } from '../../../src/components.ts'
import { imageParameter, namesOf } from '../../../src/ecs-names.ts'
import { problemsOf } from '../../ecs/check-definition.ts'
import { settingsOf } from '../../ecs/component-environment.ts'
import { service, serviceProperties } from '../../ecs/service.ts'
import { taskDefinition } from '../../ecs/task-definition.ts'
import type { Settings } from '../settings/settings.ts'
import { SettingsError } from '../settings/settings-error.ts'
import type { BaseStack } from '../stacks/base-stack.ts'
import { acknowledge } from './acknowledge.ts'
import { ComponentAlarms } from './alarms.ts'
import type { Cluster } from './cluster.ts'
import { makeDashboard } from './dashboard.ts'
import { PROVIDER } from './hosts.ts'
import { ComponentScaling } from './scaling.ts'

interface Props {
  readonly settings: Settings
  readonly base: BaseStack
  readonly cluster: Cluster
  readonly securityGroup: string
  readonly topic: ITopic
}

/** One component as a service: definition, service, how many tasks, what is watched of it. */
export class ComponentService extends Construct {
  constructor(scope: Construct, type: ComponentType, props: Props) {
    const { name } = COMPONENTS[type]
    super(scope, name)
    const { settings, base, cluster } = props
    const { environment, launch } = settings
    const identity = { cluster: cluster.clusterName, service: namesOf(type).service }
    const balanced = type === 'worker' ? undefined : base.balancers[type]
    const targets = balanced?.targets[launch]
    const traffic = balanced && targets && { balancer: balanced.balancer, targets }
    const tasks = { min: settings.counts.min[type], max: settings.counts.max[type] }
    const watched = {
      environment,
      identity,
      prefix: `kodus-${environment}-${launch}-${name}`,
      minTasks: tasks.min,
      topic: props.topic,
      traffic,
      brokerName: base.brokerName,
    }
    const alarms = new ComponentAlarms(this, type, watched)
    makeDashboard(this, watched)

    const task = taskDefinition(type, launch, this.#wiring(type, props))
    const definition = new ecs.CfnTaskDefinition(this, 'Definition', task)
    // An update would deregister the revision before, and `kodus rollback` goes back to active ones alone.
    definition.applyRemovalPolicy(RemovalPolicy.RETAIN)
    acknowledge(definition, {
      'AwsSolutions-ECS2': 'What is secret is in `secrets`; problemsOf() refuses it anywhere else.',
    })
    const described = service(type, launch, {
      cluster: cluster.clusterName,
      taskDefinition: definition.ref,
      desiredCount: tasks.min,
      ...(targets && { targetGroupArn: targets.targetGroupArn }),
      ...(settings.hosts?.machines === 'made' && { capacityProvider: PROVIDER }),
      subnets: base.network.vpc.selectSubnets(base.network.tasks).subnetIds,
      securityGroups: [props.securityGroup],
      alarmNames: alarms.rollBack,
      spot: settings.spot,
    })
    refuse(problemsOf(task, described))
    // Without a count, CloudFormation leaves the number of tasks to scaling, which begins at its least; with one, each update
    // would set it back in the middle of a storm.
    const { desiredCount, ...properties } = serviceProperties(described)
    const made = new ecs.CfnService(this, 'Service', properties)
    for (const needed of [cluster, ...alarms.all]) made.node.addDependency(needed)
    if (balanced) made.node.addDependency(balanced)

    const scaling = new ComponentScaling(this, type, {
      environment,
      identity,
      tasks,
      requestLabel:
        traffic && `${traffic.balancer.loadBalancerFullName}/${traffic.targets.targetGroupFullName}`,
    })
    scaling.target.node.addDependency(made)
  }

  #wiring(type: ComponentType, { settings, base }: Props) {
    const { variables, secrets } = settingsOf(type, { variables: settings.variables, secrets: base.secrets })
    const { environment, region, architecture } = settings
    return {
      environment,
      region,
      // What `kodus deploy` deployed last, so that an update of the infrastructure never brings an old image back.
      image: StringParameter.valueForStringParameter(this, imageParameter(environment, type)),
      executionRoleArn: base.roles[type].execution.roleArn,
      taskRoleArn: base.roles[type].task.roleArn,
      variables: {
        ...base.database.variables,
        ...variables,
      },
      secrets,
      architecture,
    }
  }
}

function refuse(problems: string[]): void {
  const [first] = problems
  if (first === undefined) return
  throw new SettingsError('DEFINITION_WRONG', problems.join('\n'), 'infra/ecs makes it: correct it there.')
}
