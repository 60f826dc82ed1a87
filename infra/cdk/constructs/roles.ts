import { ArnFormat, Stack } from 'aws-cdk-lib'
import * as iam from 'aws-cdk-lib/aws-iam'
import { Construct } from 'constructs'
import { COMPONENTS, type ComponentType } from '../../../src/components.ts'
import { namesOf } from '../../../src/ecs-names.ts'
import { acknowledge } from './acknowledge.ts'
import type { ComponentPlaces } from './registry.ts'

/**
 * What starts a component and what it may do itself, as two roles: the first reads its secrets, its image and writes its log, and
 * none of another component's; the second may nothing, but for the worker, which keeps its own tasks from being taken away.
 */
export class ComponentRoles extends Construct {
  readonly execution: iam.Role
  readonly task: iam.Role

  constructor(
    scope: Construct,
    type: ComponentType,
    props: {
      places: ComponentPlaces
      secrets: readonly string[]
      clusters: readonly string[]
      imagesFrom: string | undefined
    },
  ) {
    super(scope, `${COMPONENTS[type].name}-roles`)
    const { places, secrets, clusters } = props
    const names = namesOf(type)
    this.execution = new iam.Role(this, 'Execution', {
      roleName: names.executionRole,
      assumedBy: tasksOfThisAccount(this),
    })
    const { repositoryArn } = places.repository
    const { logGroupArn } = places.logGroup
    allow(this.execution, ['ecr:GetAuthorizationToken'], ['*'])
    allow(
      this.execution,
      ['ecr:BatchCheckLayerAvailability', 'ecr:GetDownloadUrlForLayer', 'ecr:BatchGetImage'],
      [repositoryArn, ...imagesFrom(this, names.repository, props.imagesFrom)],
    )
    allow(this.execution, ['logs:CreateLogStream', 'logs:PutLogEvents'], [logGroupArn])
    allow(this.execution, ['secretsmanager:GetSecretValue'], secrets.map(withoutKey))
    acknowledge(this.execution, { 'AwsSolutions-IAM5[Resource::*]': 'ECR gives its token for no resource.' })
    this.task = new iam.Role(this, 'Task', {
      roleName: names.taskRole,
      assumedBy: tasksOfThisAccount(this),
    })
    if (type === 'worker') {
      for (const cluster of clusters) this.#protectTasksOf(cluster)
    }
  }

  #protectTasksOf(cluster: string): void {
    const stack = Stack.of(this)
    const tasks = { service: 'ecs', resource: 'task', resourceName: `${cluster}/*` }
    allow(this.task, ['ecs:GetTaskProtection', 'ecs:UpdateTaskProtection'], [stack.formatArn(tasks)])
    const named = `arn:<AWS::Partition>:ecs:${stack.region}:<AWS::AccountId>:task/${cluster}/*`
    const reason = 'A task is named when it starts; the worker asks for its own.'
    acknowledge(this.task, { [`AwsSolutions-IAM5[Resource::${named}]`]: reason })
  }
}

/** The same repository in the account whose images are deployed here too: a digest that staging has run. */
function imagesFrom(scope: Construct, resourceName: string, account: string | undefined): string[] {
  return account
    ? [Stack.of(scope).formatArn({ service: 'ecr', resource: 'repository', resourceName, account })]
    : []
}

function allow(role: iam.Role, actions: string[], resources: string[]): void {
  role.addToPolicy(new iam.PolicyStatement({ actions, resources }))
}

/** Nobody else's tasks may take the role by way of ECS. */
function tasksOfThisAccount(scope: Construct): iam.IPrincipal {
  const { account } = Stack.of(scope)
  const anyHere = Stack.of(scope).formatArn({
    service: 'ecs',
    resource: '*',
    arnFormat: ArnFormat.NO_RESOURCE_NAME,
  })
  return new iam.ServicePrincipal('ecs-tasks.amazonaws.com', {
    conditions: { StringEquals: { 'aws:SourceAccount': account }, ArnLike: { 'aws:SourceArn': anyHere } },
  })
}

/** `arn:…:secret:name:key::` names a key of a secret; permissions are of the whole. A token is whole already. */
function withoutKey(arn: string): string {
  return arn.startsWith('arn:') ? arn.split(':').slice(0, 7).join(':') : arn
}
