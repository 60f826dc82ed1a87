import { KodusError } from '../../lib/errors.ts'
import { revisionName, type Tag, type TaskDefinition } from './ecs.ts'

/** What DescribeTaskDefinition says of a revision that RegisterTaskDefinition does not want to be told. */
const READ_ONLY = new Set([
  'taskDefinitionArn',
  'revision',
  'status',
  'requiresAttributes',
  'compatibilities',
  'registeredAt',
  'deregisteredAt',
  'registeredBy',
  'deleteRequestedAt',
])

/**
 * What to register so that a container gets another image and all else stays, also what did not exist when this was
 * written.
 *
 * @throws KodusError CONTAINER_MISSING
 */
export function nextRevision(
  described: { taskDefinition: TaskDefinition; tags?: readonly Tag[] },
  container: string,
  image: string,
): Record<string, unknown> {
  const { taskDefinition, tags = [] } = described
  imageOf(taskDefinition, container)
  const kept = Object.entries(taskDefinition).filter(([member]) => !READ_ONLY.has(member))
  // CloudFormation's own tags are AWS's to set: registering one is refused. So is an empty list.
  const ours = tags.filter(({ key }) => !key.toLowerCase().startsWith('aws:'))
  return {
    ...Object.fromEntries(kept),
    containerDefinitions: taskDefinition.containerDefinitions.map((each) =>
      each.name === container ? { ...each, image } : each,
    ),
    ...(ours.length > 0 ? { tags: ours } : {}),
  }
}

/**
 * The image of a container.
 *
 * @throws KodusError CONTAINER_MISSING
 */
export function imageOf(taskDefinition: TaskDefinition, container: string): string {
  const { containerDefinitions, taskDefinitionArn } = taskDefinition
  const found = containerDefinitions.find(({ name }) => name === container)
  if (found) return found.image
  const names = containerDefinitions.map(({ name }) => name).join(', ')
  throw new KodusError(
    'CONTAINER_MISSING',
    `${revisionName(taskDefinitionArn)} has no container called ${container}, but ${names}.`,
    { help: `Call it ${container} in the task definition, as infra/ecs/ and infra/cdk/ do.` },
  )
}
