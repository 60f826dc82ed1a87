import { KodusError } from '../../lib/errors.ts'
import type { AwsCall } from './aws-call.ts'
import { isRefusal } from './aws-error.ts'
import { lastRolledBack } from './deployment-history.ts'
import {
  describeService,
  describeTaskDefinition,
  primaryOf,
  revisionName,
  type TaskDefinition,
} from './ecs.ts'
import { explain } from './explain-outcome.ts'
import { ensureSwitchedOn, findService, startDeployment, underWay } from './find-service.ts'
import { type FollowOptions, followDeployment } from './follow-deployment.ts'
import { imageOf, nextRevision } from './next-revision.ts'
import { rememberImage } from './remember-image.ts'
import type { Target } from './target.ts'

/** Finds or makes the image, for a processor if that is known. */
export type ImageSource = (architecture: string | undefined) => Promise<string>

/**
 * Deploys an image to one service: a new revision of its task definition in which only the image is another, followed
 * until it is known to run. Where it runs already, or is just being deployed, that is followed.
 *
 * @returns the image
 * @throws KodusError see findService, followDeployment, rememberImage
 */
export async function deploy(
  call: AwsCall,
  target: Target,
  source: ImageSource,
  options: FollowOptions,
): Promise<string> {
  const { say } = options.progress
  const service = await findService(call, target)
  ensureSwitchedOn(service, target)
  const described = await describeTaskDefinition(call, service.taskDefinition)
  const current = imageOf(described.taskDefinition, target.container)
  const image = await source(described.taskDefinition.runtimePlatform?.cpuArchitecture)

  const before = revisionName(service.taskDefinition)
  const primary = primaryOf(service)
  if (current === image && primary && primary.rolloutState !== 'FAILED') {
    say(`${before} has this image already.`)
    await followDeployment(call, target, primary, options)
  } else {
    if (service.deployments.length > 1)
      say(`A deployment of ${before} is under way; this one takes its place.`)
    const request = nextRevision(described, target.container, image)
    const { taskDefinition } = await call<{ taskDefinition: TaskDefinition }>(
      'ecs',
      'RegisterTaskDefinition',
      request,
    )
    const { taskDefinitionArn } = taskDefinition
    say(`${revisionName(taskDefinitionArn)} is registered: ${before} with ${image}`)
    const ours = await startDeployment(call, target, taskDefinitionArn)
    await followDeployment(call, target, ours, options)
  }
  await rememberImage(call, target, image)
  return image
}

/**
 * Follows the deployment that is under way, or says what became of the last.
 *
 * @returns its image
 */
export async function followCurrent(call: AwsCall, target: Target, options: FollowOptions): Promise<string> {
  const service = await findService(call, target)
  const undone = await lastRolledBack(call, target)
  if (undone) {
    const to = primaryOf(service)
    throw await explain(call, target, undone, { is: 'rolled back', to, ...undone }, options.progress)
  }
  const ours = underWay(service)
  options.progress.say(`Following ${revisionName(ours.taskDefinition)}.`)
  await followDeployment(call, target, ours, options)
  const { taskDefinition } = await describeTaskDefinition(call, ours.taskDefinition)
  const image = imageOf(taskDefinition, target.container)
  await rememberImage(call, target, image)
  return image
}

/**
 * Records the image of a service that does not exist yet, for the CDK to make it with.
 *
 * @throws KodusError SERVICE_EXISTS
 */
export async function recordFirst(
  call: AwsCall,
  target: Target,
  source: ImageSource,
  say: (line: string) => void,
): Promise<string> {
  // Without a cluster there is no service either.
  const service = await describeService(call, target.cluster, target.service).catch((error) => {
    if (isRefusal(error, 'ClusterNotFoundException')) return undefined
    throw error
  })
  if (service?.status === 'ACTIVE') {
    throw new KodusError(
      'SERVICE_EXISTS',
      `${target.service} exists: its image is deployed, not just recorded.`,
      {
        help: 'Leave --first out.',
      },
    )
  }
  const image = await source(undefined)
  await rememberImage(call, target, image)
  say(`${target.parameter} is ${image}: the CDK makes ${target.service} with it.`)
  return image
}
