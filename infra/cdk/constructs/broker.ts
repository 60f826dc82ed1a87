import { Fn } from 'aws-cdk-lib'
import * as mq from 'aws-cdk-lib/aws-amazonmq'
import * as ec2 from 'aws-cdk-lib/aws-ec2'
import { Construct } from 'constructs'
import type { Settings } from '../settings/settings.ts'
import type { Store } from './database.ts'
import type { Network } from './network.ts'
import { makeCredentials, makeUrlSecret, USER } from './url-secret.ts'

/** Amazon MQ has no other: AMQP with TLS. */
const PORT = 5671

/** RabbitMQ by Amazon MQ: one node in staging, a cluster of three in production. Its certificate is publicly trusted. */
export class Broker extends Construct {
  readonly store: Store
  /** As CloudWatch calls it. */
  readonly brokerName: string

  constructor(
    scope: Construct,
    props: Pick<Settings, 'environment'> & { instance: string; network: Network },
  ) {
    super(scope, 'Broker')
    const { environment, network, instance } = props
    const isProduction = environment === 'production'
    const { subnetIds } = network.vpc.selectSubnets(network.stores)
    const securityGroup = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc: network.vpc,
      description: 'RabbitMQ: let in are the tasks alone',
      allowAllOutbound: false,
    })
    const credentials = makeCredentials(this, environment, 'broker')
    this.brokerName = `kodus-${environment}`
    const broker = new mq.CfnBroker(this, 'Broker', {
      brokerName: this.brokerName,
      engineType: 'RABBITMQ',
      engineVersion: '4.2',
      // What 3.13 and later demand.
      autoMinorVersionUpgrade: true,
      hostInstanceType: instance,
      deploymentMode: isProduction ? 'CLUSTER_MULTI_AZ' : 'SINGLE_INSTANCE',
      publiclyAccessible: false,
      subnetIds: isProduction ? subnetIds : subnetIds.slice(0, 1),
      securityGroups: [securityGroup.securityGroupId],
      users: [{ username: USER, password: credentials.secretValueFromJson('password').unsafeUnwrap() }],
      logs: { general: true },
      maintenanceWindowStartTime: { dayOfWeek: 'SUNDAY', timeOfDay: '04:00', timeZone: 'UTC' },
    })
    // amqps://host:port; a cluster has one as well, in front of its nodes.
    const endpoint = Fn.select(0, broker.attrAmqpEndpoints)
    this.store = {
      urlSecret: makeUrlSecret(this, {
        environment,
        variable: 'RABBITMQ_URL',
        protocol: 'amqps',
        credentials,
        address: Fn.select(1, Fn.split('//', endpoint)),
      }),
      securityGroup: securityGroup.securityGroupId,
      port: PORT,
      variables: {},
    }
  }
}
