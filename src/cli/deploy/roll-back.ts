import type { AwsCall } from './aws-call.ts'
import { revisionName } from './ecs.ts'
import { ensureSwitchedOn, findService, startDeployment } from './find-service.ts'
import { type FollowOptions, followDeployment } from './follow-deployment.ts'
import { imageOf } from './next-revision.ts'
import { previousRevision } from './previous-revision.ts'
import { rememberImage } from './remember-image.ts'
import type { Target } from './target.ts'

/**
 * Puts the revision back that the service ran before, and follows that to its end as any deployment.
 *
 * @returns its image
 * @throws KodusError NOTHING_TO_ROLL_BACK_TO; see deploy
 */
export async function rollBack(call: AwsCall, target: Target, options: FollowOptions): Promise<string> {
  const service = await findService(call, target)
  ensureSwitchedOn(service, target)
  const { taskDefinition, because } = await previousRevision(call, target, service)
  const { taskDefinitionArn } = taskDefinition
  const image = imageOf(taskDefinition, target.container)
  options.progress.say(
    `From ${revisionName(service.taskDefinition)} back to ${revisionName(taskDefinitionArn)}: ${because}.`,
  )
  const ours = await startDeployment(call, target, taskDefinitionArn)
  await followDeployment(call, target, ours, options)
  await rememberImage(call, target, image)
  return image
}
