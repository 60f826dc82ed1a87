import type { AwsCall } from './aws-call.ts'
import { isRefusal } from './aws-error.ts'
import type { ServiceDeployment } from './ecs.ts'
import type { Followed } from './judge-deployment.ts'
import type { Target } from './target.ts'

interface Known extends ServiceDeployment {
  targetServiceRevision?: { arn: string }
}

/**
 * Reads what the service's history says of a deployment: that it is rolled back or stopped, and why. It is worth less than
 * the service itself, so who may not read it is not kept from deploying.
 */
export function historyReader(call: AwsCall, ours: Followed) {
  const isOurs = new Map<string, boolean>()
  let permitted = true

  const read = async (arn: string): Promise<ServiceDeployment | undefined> => {
    const input = { serviceDeploymentArns: [arn] }
    const answer = await call<{ serviceDeployments?: Known[] }>('ecs', 'DescribeServiceDeployments', input)
    const found = answer.serviceDeployments?.[0]
    const revision = found?.targetServiceRevision?.arn
    if (!found || !revision) return undefined
    // For a moment after an update, the service may still name the deployment before.
    if (!isOurs.has(arn)) isOurs.set(arn, (await taskDefinitionOf(call, revision)) === ours.taskDefinition)
    return isOurs.get(arn) ? found : undefined
  }

  return async (arn: string): Promise<ServiceDeployment | undefined> => {
    if (!permitted) return undefined
    return read(arn).catch((error) => {
      if (!isRefusal(error, 'AccessDeniedException')) throw error
      permitted = false
      return undefined
    })
  }
}

/**
 * The last deployment of a service if it was undone, or is just being: then what ECS works towards is the rollback.
 * Undefined too where the history may not be read.
 */
export async function lastRolledBack(call: AwsCall, target: Target): Promise<RolledBack | undefined> {
  try {
    const [last] = await listDeployments(call, target)
    if (!last?.status.startsWith('ROLLBACK_') || !last.targetServiceRevisionArn) return undefined
    const taskDefinition = await taskDefinitionOf(call, last.targetServiceRevisionArn)
    if (taskDefinition === undefined) return undefined
    return { taskDefinition, ...(last.statusReason ? { reason: last.statusReason } : {}) }
  } catch (error) {
    if (isRefusal(error, 'AccessDeniedException')) return undefined
    throw error
  }
}

export interface RolledBack {
  taskDefinition: string
  reason?: string
}

/** A service's deployments, the newest first: ECS keeps them for 90 days, and lists them in an order that it does not say. */
export async function listDeployments(
  call: AwsCall,
  { cluster, service }: Target,
  status?: readonly string[],
): Promise<ServiceDeployment[]> {
  const found: ServiceDeployment[] = []
  let nextToken: string | undefined
  do {
    const input = { cluster, service, status, nextToken, maxResults: 100 }
    const page: Page = await call('ecs', 'ListServiceDeployments', input)
    found.push(...(page.serviceDeployments ?? []))
    nextToken = page.nextToken
  } while (nextToken)
  return found.sort((a, b) => (b.createdAt ?? 0) - (a.createdAt ?? 0))
}

interface Page {
  serviceDeployments?: ServiceDeployment[]
  nextToken?: string
}

/** The task definition of a service's revision; undefined when that has been forgotten. */
export async function taskDefinitionOf(
  call: AwsCall,
  serviceRevisionArn: string,
): Promise<string | undefined> {
  const input = { serviceRevisionArns: [serviceRevisionArn] }
  const { serviceRevisions = [] } = await call<{ serviceRevisions?: { taskDefinition: string }[] }>(
    'ecs',
    'DescribeServiceRevisions',
    input,
  )
  return serviceRevisions[0]?.taskDefinition
}
