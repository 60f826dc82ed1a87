import { COMPONENTS, type ComponentFacts } from '../../../src/components.ts'
import { TYPES } from '../../../src/ecs-capacity.ts'
import { namesOf } from '../../../src/ecs-names.ts'
import type { Settings } from '../settings/settings.ts'
import { map, maps, type Resource, type Template } from './template.ts'

/** Stores, hosts, roles, logs and images. */
export function* checkStores(template: Template, settings: Settings): Generator<string> {
  yield* checkData(template, settings)
  yield* checkHosts(template, settings)
  yield* checkRoles(template, settings)
  for (const type of TYPES) {
    const { logGroup, repository } = namesOf(type)
    const log = template.all('Logs::LogGroup').find(({ properties }) => properties.LogGroupName === logGroup)
    if (!(Number(log?.properties.RetentionInDays) > 0)) yield `${logGroup} is missing, or is kept for ever`
    const images = template
      .all('ECR::Repository')
      .find(({ properties }) => properties.RepositoryName === repository)?.properties
    if (images?.ImageTagMutability !== 'IMMUTABLE') yield `a tag of ${repository} can change its meaning`
    yield* checkReaders(repository, images, settings)
    if (map(images?.ImageScanningConfiguration).ScanOnPush !== true)
      yield `${repository} is not looked through`
  }
}

function* checkData(template: Template, { environment }: Settings): Generator<string> {
  const isProduction = environment === 'production'
  for (const { properties } of template.all('RDS::DBInstance')) {
    if (properties.PubliclyAccessible !== false) yield 'the database has a public address'
    if (properties.StorageEncrypted !== true) yield 'the database is not encrypted'
    if (isProduction && properties.MultiAZ !== true) yield 'the database is in one zone'
    if (isProduction && properties.DeletionProtection !== true)
      yield 'the database can be deleted by accident'
    if (!(Number(properties.BackupRetentionPeriod) >= (isProduction ? 7 : 1)))
      yield 'the database has no backups'
    const group = template
      .all('RDS::DBParameterGroup')
      .find(({ id }) => properties.DBParameterGroupName === `\${${id}}`)
    if (map(group?.properties.Parameters)['rds.force_ssl'] !== '1')
      yield 'the database can be used without TLS'
  }
  for (const { properties } of template.all('AmazonMQ::Broker')) {
    if (properties.PubliclyAccessible !== false) yield 'the broker has a public address'
    if (isProduction && properties.DeploymentMode !== 'CLUSTER_MULTI_AZ') yield 'the broker is one node'
    if (!JSON.stringify(properties.Users).includes('{{resolve:secretsmanager:'))
      yield "the broker's password is readable"
  }
  for (const { id, properties } of template.all('SecretsManager::Secret')) {
    const { SecretString } = properties
    if (SecretString === undefined) continue
    if (!String(SecretString).includes('{{resolve:secretsmanager:')) yield `${id} is readable in the template`
    const isTls = /^(amqps:|postgresql:.*sslmode=verify-full)/.test(String(SecretString))
    if (!isTls) yield `${id} is a URL without TLS that is verified`
  }
}

function* checkHosts(template: Template, { hosts }: Settings): Generator<string> {
  if (hosts?.machines !== 'made') return
  const ports = Object.values<ComponentFacts>(COMPONENTS).flatMap(({ http }) => http?.port ?? [])
  const [group] = template.all('AutoScaling::AutoScalingGroup')
  const [provider] = template.all('ECS::CapacityProvider')
  const [launch] = template.all('EC2::LaunchTemplate')
  const data = map(launch?.properties.LaunchTemplateData)
  const userData = String(data.UserData)
  const reserved = /ECS_RESERVED_PORTS=\[([\d,]+)\]/.exec(userData)?.[1]?.split(',').map(Number) ?? []
  if (!ports.every((port) => reserved.includes(port))) yield "PM2's ports are not reserved on the hosts"
  if (!/ECS_RESERVED_MEMORY=\d+/.test(userData)) yield 'the hosts keep no memory for themselves'
  if (/\bstart ecs\b/.test(userData) && !/--no-block/.test(userData)) yield 'the user data waits for itself'
  if (map(data.MetadataOptions).HttpTokens !== 'required') yield 'the hosts answer IMDSv1'
  if (map(data.MetadataOptions).HttpPutResponseHopLimit !== 1) yield "containers can take the hosts' role"
  const { ManagedScaling, ManagedTerminationProtection, ManagedDraining } = map(
    provider?.properties.AutoScalingGroupProvider,
  )
  const [used] = template.all('ECS::ClusterCapacityProviderAssociations')
  if (!JSON.stringify(used?.properties.CapacityProviders).includes(`\${${provider?.id}}`)) {
    yield 'the cluster may be told of its hosts before there are any'
  }
  if (map(ManagedScaling).Status !== 'ENABLED') yield 'there are never more hosts'
  const isKept = group?.properties.NewInstancesProtectedFromScaleIn === true
  if (!isKept || ManagedTerminationProtection !== 'ENABLED' || ManagedDraining !== 'ENABLED') {
    yield 'a host can be taken away with tasks on it'
  }
  if (
    !(Number(group?.properties.MinSize) >= hosts.hosts && Number(group?.properties.MaxSize) >= hosts.maxHosts)
  ) {
    yield 'there are fewer hosts than the tasks need'
  }
}

/** Whoever may pull from a repository besides this account's own roles. */
function* checkReaders(
  repository: string,
  images: Resource['properties'] | undefined,
  { imagesTo }: Settings,
): Generator<string> {
  const statements = maps(map(images?.RepositoryPolicyText).Statement)
  const readers = statements.map(({ Principal }) => map(Principal).AWS)
  const isTold = (reader: unknown) => imagesTo !== undefined && String(reader).endsWith(`::${imagesTo}:root`)
  if (!readers.every(isTold)) yield `${repository} can be read by somebody who was not named`
  if (imagesTo !== undefined && readers.length === 0) yield `${repository} cannot be read by ${imagesTo}`
}

const ALLOWED_TASK = ['ecs:GetTaskProtection', 'ecs:UpdateTaskProtection']

function* checkRoles(template: Template, { imagesFrom }: Settings): Generator<string> {
  for (const { properties } of template.all('IAM::Role')) {
    if (properties.ManagedPolicyArns !== undefined)
      yield `${properties.RoleName} has a policy of somebody else's`
  }
  for (const type of TYPES) {
    const { taskRole, executionRole, repository } = namesOf(type)
    const of = (name: string) => {
      const role = template.all('IAM::Role').find(({ properties }) => properties.RoleName === name)
      return template
        .all('IAM::Policy')
        .filter(({ properties }) => JSON.stringify(properties.Roles).includes(`\${${role?.id}}`))
        .flatMap(({ properties }) => maps(map(properties.PolicyDocument).Statement))
    }
    const allowed = of(taskRole).flatMap(({ Action }) => Action)
    const most = type === 'worker' ? ALLOWED_TASK : []
    if (allowed.some((action) => !most.includes(String(action)))) yield `${taskRole} may more than it needs`
    if (allowed.length < most.length) yield `${taskRole} cannot keep its tasks`
    const pulled = of(executionRole)
      .filter(({ Action }) => Array.isArray(Action) && Action.includes('ecr:BatchGetImage'))
      .flatMap(({ Resource }) => Resource)
    const own = template
      .all('ECR::Repository')
      .find(({ properties }) => properties.RepositoryName === repository)
    const wanted = [`\${${own?.id}.Arn}`, ...(imagesFrom ? [`:${imagesFrom}:repository/${repository}`] : [])]
    const isWanted = (from: unknown) => wanted.some((end) => String(from).endsWith(end))
    if (pulled.length !== wanted.length || !pulled.every(isWanted)) {
      yield `${executionRole} does not pull exactly the images of its component`
    }
    const secrets = of(executionRole).filter(({ Action }) => String(Action).includes('secretsmanager'))
    if (secrets.length === 0 || JSON.stringify(secrets).includes('*')) {
      yield `${executionRole} does not read exactly the secrets of its component`
    }
  }
}
