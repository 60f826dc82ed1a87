import { KodusError } from '../../lib/errors.ts'
import type { AwsCall } from './aws-call.ts'
import { listDeployments, taskDefinitionOf } from './deployment-history.ts'
import { describeTaskDefinition, revisionName, type Service, type TaskDefinition } from './ecs.ts'
import type { Target } from './target.ts'

export interface Previous {
  taskDefinition: TaskDefinition
  /** How it is known that this ran before. */
  because: string
}

/**
 * What the service ran before: the newest revision other than its present one that the service's history calls
 * successfully deployed (ECS keeps it for 90 days); where there is none, the family's newest active revision before the
 * present one, of which is not known that it ever ran.
 *
 * @throws KodusError NOTHING_TO_ROLL_BACK_TO
 */
export async function previousRevision(call: AwsCall, target: Target, service: Service): Promise<Previous> {
  const found = (await fromHistory(call, target, service)) ?? (await fromFamily(call, target, service))
  if (found) return found
  throw new KodusError(
    'NOTHING_TO_ROLL_BACK_TO',
    `${target.service} runs ${revisionName(service.taskDefinition)}, and there is no earlier revision that is active.`,
    { help: `Deploy the image that you want: kodus deploy ${target.name} --image sha256:…` },
  )
}

async function fromHistory(call: AwsCall, target: Target, service: Service): Promise<Previous | undefined> {
  const newestFirst = await listDeployments(call, target, ['SUCCESSFUL'])
  // It may have been deregistered since, and a revision of a service may be forgotten.
  for (const { targetServiceRevisionArn, finishedAt } of newestFirst) {
    if (!targetServiceRevisionArn) continue
    const arn = await taskDefinitionOf(call, targetServiceRevisionArn)
    if (arn === undefined || arn === service.taskDefinition) continue
    const { taskDefinition } = await describeTaskDefinition(call, arn)
    if (taskDefinition.status !== 'ACTIVE') continue
    const when = finishedAt
      ? ` on ${new Date(finishedAt * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`
      : ''
    return { taskDefinition, because: `the service's history has it as successfully deployed${when}` }
  }
  return undefined
}

async function fromFamily(call: AwsCall, target: Target, service: Service): Promise<Previous | undefined> {
  const { taskDefinitionArns = [] } = await call<{ taskDefinitionArns?: string[] }>(
    'ecs',
    'ListTaskDefinitions',
    {
      familyPrefix: target.family,
      status: 'ACTIVE',
      sort: 'DESC',
    },
  )
  const present = numberOf(service.taskDefinition)
  const current = await describeTaskDefinition(call, service.taskDefinition)
  for (const arn of taskDefinitionArns.filter((each) => numberOf(each) < present)) {
    const { taskDefinition } = await describeTaskDefinition(call, arn)
    // A family is of both launch types, and a service runs one.
    if (launchOf(taskDefinition) !== launchOf(current.taskDefinition)) continue
    return {
      taskDefinition,
      because:
        "it is the family's newest active revision before the present one; the service's history has no other, so it is not known whether it ever ran",
    }
  }
  return undefined
}

function launchOf({ requiresCompatibilities = [] }: TaskDefinition): string {
  return requiresCompatibilities.toSorted().join()
}

function numberOf(arn: string): number {
  return Number(arn.slice(arn.lastIndexOf(':') + 1))
}
