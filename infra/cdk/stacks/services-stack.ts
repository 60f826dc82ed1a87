import { Stack } from 'aws-cdk-lib'
import * as ec2 from 'aws-cdk-lib/aws-ec2'
import * as iam from 'aws-cdk-lib/aws-iam'
import * as sns from 'aws-cdk-lib/aws-sns'
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import type { Construct } from 'constructs'
import { TYPES } from '../../../src/ecs-capacity.ts'
import { Cluster } from '../constructs/cluster.ts'
import { ComponentService } from '../constructs/component-service.ts'
import { letIn } from '../constructs/let-in.ts'
import type { Settings } from '../settings/settings.ts'
import type { BaseStack } from './base-stack.ts'

/** A cluster with the three services, of one launch type. Another can be beside it while requests move over. */
export class ServicesStack extends Stack {
  constructor(scope: Construct, settings: Settings, base: BaseStack) {
    const { environment, launch, region } = settings
    super(scope, `kodus-${environment}-${launch}`, {
      env: { region },
      terminationProtection: environment === 'production',
    })
    const cluster = new Cluster(this, settings, base.network)
    const securityGroup = this.#securityGroup(settings, base, cluster)
    letIn(this, securityGroup, settings, base)
    const topic = this.#topic(settings)
    for (const type of TYPES) {
      new ComponentService(this, type, { settings, base, cluster, securityGroup, topic })
    }
  }

  /** Of what the load balancers reach and the stores let in: hosts, or tasks with addresses of their own. */
  #securityGroup({ hosts, edge }: Settings, { network }: BaseStack, cluster: Cluster): string {
    if (cluster.hosts) return cluster.hosts.securityGroup.securityGroupId
    if (hosts && edge.machineSecurityGroup) return edge.machineSecurityGroup
    const group = new ec2.SecurityGroup(this, 'Tasks', {
      vpc: network.vpc,
      description: 'Tasks: let in are their load balancers alone',
    })
    return group.securityGroupId
  }

  #topic({ environment, launch, alarmEmail }: Settings): sns.Topic {
    const topic = new sns.Topic(this, 'Topic', {
      topicName: `kodus-${environment}-${launch}-alarms`,
      enforceSSL: true,
    })
    // A policy of its own takes the place of SNS's default, by which alarms of the account may publish.
    topic.addToResourcePolicy(
      new iam.PolicyStatement({
        actions: ['sns:Publish'],
        principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': this.account } },
      }),
    )
    if (alarmEmail) topic.addSubscription(new EmailSubscription(alarmEmail))
    return topic
  }
}
