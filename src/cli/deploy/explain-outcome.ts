import { KodusError } from '../../lib/errors.ts'
import type { AwsCall } from './aws-call.ts'
import { revisionName } from './ecs.ts'
import type { Followed, Standing } from './judge-deployment.ts'
import type { Progress } from './progress.ts'
import { optionsFor, type Target } from './target.ts'

/** Of a deployment that is over and did not succeed. */
export type Failure = Exclude<Standing, { is: 'under way' | 'complete' }>

const CODES: Record<Failure['is'], string> = {
  failed: 'DEPLOYMENT_FAILED',
  'rolled back': 'DEPLOYMENT_ROLLED_BACK',
  superseded: 'DEPLOYMENT_SUPERSEDED',
  stopped: 'DEPLOYMENT_STOPPED',
  'switched off': 'DEPLOYMENT_WITHOUT_TASKS',
  gone: 'SERVICE_GONE',
}

/** Whether an error says how a deployment ended, as opposed to: that something could not be done. */
export function isOutcome({ code }: KodusError): boolean {
  return Object.values(CODES).includes(code)
}

/** A deployment's failure with ECS's reason, and what to do. Why its tasks stopped is told before. */
export async function explain(
  call: AwsCall,
  target: Target,
  ours: Pick<Followed, 'taskDefinition'>,
  standing: Failure,
  progress: Progress,
): Promise<KodusError> {
  const { says, help } = words(standing, target, revisionName(ours.taskDefinition))
  if (['failed', 'rolled back', 'stopped'].includes(standing.is)) {
    for (const reason of await whyTasksStopped(call, target, ours)) progress.say(`Stopped task: ${reason}`)
  }
  return new KodusError(CODES[standing.is], says, { help })
}

function words(standing: Failure, target: Target, name: string): { says: string; help: string } {
  const options = optionsFor(target)
  const log = `Its log: aws logs tail ${target.logGroup} --since 30m.`
  const reason = 'reason' in standing && standing.reason ? ` ECS says: ${standing.reason}` : ''
  switch (standing.is) {
    case 'failed':
      return {
        says: `${name} failed.${reason}`,
        help: `Nothing was put back. To go back: kodus rollback ${target.name}${options}. ${log}`,
      }
    case 'rolled back': {
      const to = standing.to ? revisionName(standing.to.taskDefinition) : 'what ran before'
      return {
        says: `${name} was rolled back to ${to}.${reason}`,
        help: `${target.service} runs, or is coming back to, ${to}: nothing has to be undone. ${log} Repair the image, and deploy again.`,
      }
    }
    case 'superseded':
      return {
        says: `${name} was superseded by ${revisionName(standing.by.taskDefinition)} (${standing.by.id}), which somebody else deployed.`,
        help: `See what became of theirs: kodus deploy ${target.name} --follow${options}. In CI, let deployments of a component queue.`,
      }
    case 'stopped':
      return {
        says: `The deployment of ${name} was stopped.${reason}`,
        help: `Somebody stopped it. To go back: kodus rollback ${target.name}${options}.`,
      }
    case 'switched off':
      return {
        says: `${target.service} is to run no tasks (desired count 0), so it cannot be seen whether ${name} works.`,
        help: `Give it tasks, then deploy again: aws ecs update-service --cluster ${target.cluster} --service ${target.service} --desired-count 1`,
      }
    case 'gone':
      return {
        says: `${target.service} was deleted while ${name} was being deployed.`,
        help: 'Deploy the stack again (infra/cdk).',
      }
  }
}

interface Task {
  taskDefinitionArn: string
  stoppedReason?: string
  containers?: { name: string; exitCode?: number; reason?: string }[]
}

const TASKS_SHOWN = 3

/** In ECS's words. Empty where there are none, or where they cannot be had: this is about another failure. */
async function whyTasksStopped(
  call: AwsCall,
  target: Target,
  ours: Pick<Followed, 'taskDefinition'>,
): Promise<string[]> {
  try {
    const { cluster, service: serviceName } = target
    const listed = { cluster, serviceName, desiredStatus: 'STOPPED' }
    const { taskArns = [] } = await call<{ taskArns?: string[] }>('ecs', 'ListTasks', listed)
    if (taskArns.length === 0) return []
    const { tasks = [] } = await call<{ tasks?: Task[] }>('ecs', 'DescribeTasks', {
      cluster,
      tasks: taskArns,
    })
    const reasons = tasks
      .filter(({ taskDefinitionArn }) => taskDefinitionArn === ours.taskDefinition)
      .map(({ stoppedReason, containers = [] }) => [stoppedReason, ...containers.map(ofContainer)])
      .map((parts) => parts.filter((part) => part !== undefined).join('; '))
    return [...new Set(reasons)].slice(0, TASKS_SHOWN)
  } catch {
    return []
  }
}

function ofContainer({
  name,
  exitCode,
  reason,
}: NonNullable<Task['containers']>[number]): string | undefined {
  if (exitCode === undefined && reason === undefined) return undefined
  return [name, exitCode === undefined ? [] : `exit code ${exitCode}`, reason ?? []].flat().join(' ')
}
