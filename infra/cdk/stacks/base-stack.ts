import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib'
import * as s3 from 'aws-cdk-lib/aws-s3'
import type { Construct } from 'constructs'
import type { ComponentType } from '../../../src/components.ts'
import { CLUSTER } from '../../../src/ecs-names.ts'
import { settingsOf } from '../../ecs/component-environment.ts'
import { acknowledge } from '../constructs/acknowledge.ts'
import { Broker } from '../constructs/broker.ts'
import { Database, type Store } from '../constructs/database.ts'
import { letInPm2 } from '../constructs/let-in.ts'
import { ComponentLoadBalancer, findCertificate } from '../constructs/load-balancer.ts'
import { makeNetwork } from '../constructs/network.ts'
import { makePlaces } from '../constructs/registry.ts'
import { ComponentRoles } from '../constructs/roles.ts'
import type { Settings } from '../settings/settings.ts'

/** What outlives any cluster: network, stores, images, logs, load balancers. The same for each launch type. */
export class BaseStack extends Stack {
  readonly network
  readonly database: Store
  readonly broker: Store | undefined
  readonly brokerName: string | undefined
  /** Variable → ARN of its secret, those of the stores included. */
  readonly secrets: Readonly<Record<string, string>>
  readonly roles
  readonly balancers

  constructor(scope: Construct, settings: Settings) {
    const { environment, region, edge } = settings
    const isProduction = environment === 'production'
    super(scope, `kodus-${environment}-base`, { env: { region }, terminationProtection: isProduction })
    const network = makeNetwork(this, settings)
    this.network = network

    const { database, broker } = settings
    this.database =
      'urlSecret' in database
        ? { ...database, port: 5432, variables: {} }
        : new Database(this, { environment, region, network, ...database }).store
    if (broker && 'urlSecret' in broker) this.broker = { ...broker, port: 5671, variables: {} }
    else if (broker) {
      const made = new Broker(this, { environment, network, ...broker })
      this.broker = made.store
      this.brokerName = made.brokerName
    }

    this.secrets = {
      ...settings.secrets,
      DATABASE_URL: this.database.urlSecret,
      ...(this.broker && { RABBITMQ_URL: this.broker.urlSecret }),
    }
    this.roles = {
      webhook: this.#roles('webhook', settings),
      api: this.#roles('api', settings),
      worker: this.#roles('worker', settings),
    }
    const shared = {
      environment,
      edge,
      network,
      certificate: findCertificate(this, edge),
      accessLogs: this.#accessLogs(),
    }
    this.balancers = {
      webhook: new ComponentLoadBalancer(this, 'webhook', { ...shared, domain: edge.webhookDomain }),
      api: new ComponentLoadBalancer(this, 'api', { ...shared, domain: edge.apiDomain }),
    }
    letInPm2(this, edge, this.balancers)
  }

  #roles(type: ComponentType, settings: Settings): ComponentRoles {
    return new ComponentRoles(this, type, {
      places: makePlaces(this, type, settings),
      imagesFrom: settings.imagesFrom,
      secrets: Object.values(settingsOf(type, { variables: {}, secrets: this.secrets }).secrets),
      clusters: [...new Set([CLUSTER, settings.cluster])],
    })
  }

  #accessLogs(): s3.Bucket {
    const bucket = new s3.Bucket(this, 'AccessLogs', {
      // ELB writes with no other kind of encryption.
      encryption: s3.BucketEncryption.S3_MANAGED,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      lifecycleRules: [{ expiration: Duration.days(90) }],
      removalPolicy: RemovalPolicy.RETAIN,
    })
    acknowledge(bucket, { 'AwsSolutions-S1': 'It is the log; who reads it is in CloudTrail.' })
    return bucket
  }
}
