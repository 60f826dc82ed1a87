import { Duration, RemovalPolicy } from 'aws-cdk-lib'
import * as ec2 from 'aws-cdk-lib/aws-ec2'
import * as rds from 'aws-cdk-lib/aws-rds'
import { Construct } from 'constructs'
import type { Settings } from '../settings/settings.ts'
import { acknowledge } from './acknowledge.ts'
import type { Network } from './network.ts'
import { databaseAuthorities } from './rds-authorities.ts'
import { makeCredentials, makeUrlSecret, USER } from './url-secret.ts'

/** What a component needs to reach a store. */
export interface Store {
  /** ARN of the secret with the whole URL. */
  readonly urlSecret: string
  /** That tasks have to be let into; undefined: it is somebody else's. */
  readonly securityGroup: string | undefined
  readonly port: number
  /** Variables that are told besides, none of them secret. */
  readonly variables: Readonly<Record<string, string>>
}

const NAME = 'kodus'
const PORT = 5432

/** PostgreSQL: TLS or nothing; in production in two zones, with two weeks of backups, and not to be deleted by accident. */
export class Database extends Construct {
  readonly store: Store

  constructor(
    scope: Construct,
    props: Pick<Settings, 'environment' | 'region'> & { instance: string; network: Network },
  ) {
    super(scope, 'Database')
    const { environment, region, network } = props
    const isProduction = environment === 'production'
    const { vpc } = network
    const securityGroup = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc,
      description: 'PostgreSQL: let in are the tasks alone',
      allowAllOutbound: false,
    })
    const credentials = makeCredentials(this, environment, 'database')
    const engine = rds.DatabaseInstanceEngine.postgres({ version: rds.PostgresEngineVersion.VER_18_3 })
    const instance = new rds.DatabaseInstance(this, 'Instance', {
      engine,
      instanceType: new ec2.InstanceType(props.instance.replace(/^db\./, '')),
      credentials: rds.Credentials.fromSecret(credentials, USER),
      databaseName: NAME,
      port: PORT,
      vpc,
      vpcSubnets: network.stores,
      securityGroups: [securityGroup],
      parameters: { 'rds.force_ssl': '1' },
      caCertificate: rds.CaCertificate.RDS_CA_RSA2048_G1,
      storageType: rds.StorageType.GP3,
      allocatedStorage: 20,
      maxAllocatedStorage: 200,
      storageEncrypted: true,
      multiAz: isProduction,
      deletionProtection: isProduction,
      backupRetention: Duration.days(isProduction ? 14 : 3),
      removalPolicy: RemovalPolicy.SNAPSHOT,
      copyTagsToSnapshot: true,
      autoMinorVersionUpgrade: true,
      publiclyAccessible: false,
    })
    this.store = {
      urlSecret: makeUrlSecret(this, {
        environment,
        variable: 'DATABASE_URL',
        protocol: 'postgresql',
        credentials,
        address: `${instance.dbInstanceEndpointAddress}:${PORT}/${NAME}?sslmode=verify-full`,
      }),
      securityGroup: securityGroup.securityGroupId,
      port: PORT,
      variables: { DATABASE_CA: databaseAuthorities(region) },
    }
    acknowledge(instance, {
      'AwsSolutions-RDS11': 'Another port keeps nobody out of a database that only tasks can reach.',
      ...(!isProduction && {
        'AwsSolutions-RDS3': 'Staging may be away while its zone is.',
        'AwsSolutions-RDS10': 'Staging is meant to be thrown away; a snapshot is kept.',
      }),
    })
  }
}
