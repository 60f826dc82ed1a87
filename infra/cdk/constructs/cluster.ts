import * as ecs from 'aws-cdk-lib/aws-ecs'
import { Construct } from 'constructs'
import type { Settings } from '../settings/settings.ts'
import { acknowledge } from './acknowledge.ts'
import { Hosts } from './hosts.ts'
import type { Network } from './network.ts'

const FARGATE = ['FARGATE', 'FARGATE_SPOT']

/** What the services of one launch type run in, hosts included where they are ours to start. */
export class Cluster extends Construct {
  readonly clusterName: string
  readonly hosts: Hosts | undefined

  constructor(scope: Construct, { cluster: name, hosts }: Settings, network: Network) {
    super(scope, 'Cluster')
    this.clusterName = name
    const cluster = new ecs.CfnCluster(this, 'Cluster', {
      clusterName: name,
      clusterSettings: [{ name: 'containerInsights', value: 'disabled' }],
    })
    acknowledge(cluster, {
      'AwsSolutions-ECS4':
        'Scaling and alarms go by what load balancers and workers say, sooner and for nothing; some forty metrics more would be paid for.',
    })
    if (hosts?.machines === 'registered') return
    if (hosts) {
      this.hosts = new Hosts(this, { cluster: name, hosts, network })
      // An agent that finds no cluster gives up.
      this.hosts.node.addDependency(cluster)
    }
    const providers = this.hosts ? [this.hosts.provider.ref] : FARGATE
    new ecs.CfnClusterCapacityProviderAssociations(this, 'Providers', {
      cluster: cluster.ref,
      capacityProviders: providers,
      defaultCapacityProviderStrategy: providers
        .slice(0, 1)
        .map((capacityProvider) => ({ capacityProvider, weight: 1 })),
    })
  }
}
