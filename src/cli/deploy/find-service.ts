import { KodusError } from '../../lib/errors.ts'
import type { AwsCall } from './aws-call.ts'
import { isRefusal } from './aws-error.ts'
import { describeService, primaryOf, type Service } from './ecs.ts'
import type { Followed } from './judge-deployment.ts'
import { optionsFor, type Target } from './target.ts'

/**
 * The service, if it can be deployed to.
 *
 * @throws KodusError CLUSTER_MISSING, SERVICE_MISSING, SERVICE_INACTIVE, SERVICE_NOT_ROLLING
 */
export async function findService(call: AwsCall, target: Target): Promise<Service> {
  const { cluster, name, service: serviceName } = target
  const service = await describeService(call, cluster, serviceName).catch((error) => {
    if (!isRefusal(error, 'ClusterNotFoundException')) throw error
    throw new KodusError('CLUSTER_MISSING', `There is no cluster ${cluster} in this account and region.`, {
      help: 'Check --cluster, --region and the profile; make it with the CDK (infra/cdk).',
      cause: error,
    })
  })
  if (!service) {
    throw new KodusError('SERVICE_MISSING', `There is no service ${serviceName} in ${cluster}.`, {
      help: `Record the image (kodus deploy ${name} --first --image …${optionsFor(target)}), then let the CDK make the service with it.`,
    })
  }
  if (service.status !== 'ACTIVE') {
    throw new KodusError(
      'SERVICE_INACTIVE',
      `${serviceName} is ${service.status}: it is deleted, or being deleted.`,
      {
        help: 'Deploy the stack again (infra/cdk), which makes it anew.',
      },
    )
  }
  const controller = service.deploymentController?.type ?? 'ECS'
  if (controller !== 'ECS') {
    throw new KodusError(
      'SERVICE_NOT_ROLLING',
      `${serviceName} is deployed to by ${controller}, not by ECS itself.`,
      {
        help: `Deploy with ${controller}, or make the service with the deployment controller ECS.`,
      },
    )
  }
  return service
}

/** @throws KodusError SERVICE_SWITCHED_OFF */
export function ensureSwitchedOn(service: Service, { cluster, service: name }: Target): void {
  if (service.desiredCount > 0) return
  throw new KodusError(
    'SERVICE_SWITCHED_OFF',
    `${name} is to run no tasks (desired count 0), so it could not be seen whether a new revision works. Nothing was changed.`,
    {
      help: `Give it tasks first: aws ecs update-service --cluster ${cluster} --service ${name} --desired-count 1`,
    },
  )
}

/** Has the service run a revision, and returns the deployment that does it. Nothing else of the service changes. */
export async function startDeployment(
  call: AwsCall,
  target: Target,
  taskDefinition: string,
): Promise<Followed> {
  const { cluster, service } = target
  const answer = await call<{ service: Service }>('ecs', 'UpdateService', {
    cluster,
    service,
    taskDefinition,
  })
  return underWay(answer.service)
}

/** The deployment that ECS works towards, or that was the last. */
export function underWay(service: Service): Followed {
  const found = primaryOf(service)
  if (found) return found
  throw new KodusError('DEPLOYMENT_MISSING', `ECS names no deployment of ${service.serviceArn}.`, {
    help: 'Try again in a minute: a service that was just made has none yet.',
  })
}
