import { setTimeout as sleep } from 'node:timers/promises'
import { abortable } from '../../lib/abortable.ts'
import { KodusError } from '../../lib/errors.ts'
import type { AwsCall } from './aws-call.ts'
import { historyReader } from './deployment-history.ts'
import { type Deployment, describeService, primaryOf, revisionName, type Service } from './ecs.ts'
import { explain } from './explain-outcome.ts'
import { type Followed, judgeDeployment, type Standing } from './judge-deployment.ts'
import type { Progress } from './progress.ts'
import { optionsFor, type Target } from './target.ts'

export interface FollowOptions {
  timeoutMs: number
  /** Between two looks. */
  everyMs: number
  progress: Progress
}

/**
 * Follows a deployment to its end and returns when it has succeeded. Events and counts are told as they come. A signal
 * (Ctrl-C) ends the following; the deployment itself goes on.
 *
 * @throws KodusError DEPLOYMENT_ROLLED_BACK, _FAILED, _SUPERSEDED, _STOPPED, _WITHOUT_TASKS, SERVICE_GONE, with the
 * reason from ECS; DEPLOYMENT_TIMEOUT and FOLLOWING_ENDED, after which it goes on; and those of a call
 */
export async function followDeployment(
  call: AwsCall,
  target: Target,
  ours: Followed,
  { timeoutMs, everyMs, progress }: FollowOptions,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  const readHistory = historyReader(call, ours)
  const tellEvents = eventTeller(ours, progress)
  const interrupt = new AbortController()
  const { signal } = interrupt
  const stop = () => interrupt.abort()
  let inHistory: string | undefined

  const look = async (): Promise<Standing> => {
    const service = await describeService(call, target.cluster, target.service)
    // ECS names the deployment's place in the history only while it is the one under way.
    if (service && primaryOf(service)?.id === ours.id)
      inHistory = service.currentServiceDeployment ?? inHistory
    const history = inHistory ? await readHistory(inHistory) : undefined
    if (service) {
      tellEvents(service)
      progress.stand(counts(service, ours))
    }
    return judgeDeployment(service, ours, history)
  }

  for (const name of SIGNALS) process.once(name, stop)
  try {
    for (;;) {
      const standing = await abortable(look(), signal)
      if (standing.is === 'complete')
        return progress.say(`${target.service} runs ${revisionName(ours.taskDefinition)}.`)
      if (standing.is !== 'under way') {
        progress.end()
        throw await explain(call, target, ours, standing, progress)
      }
      if (performance.now() >= deadline) throw tooLate(target, ours, timeoutMs)
      await sleep(everyMs, undefined, { signal })
    }
  } catch (error) {
    throw signal.aborted ? ended(target, ours, inHistory) : stillGoingOn(error, target)
  } finally {
    for (const name of SIGNALS) process.off(name, stop)
    progress.end()
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/** Tells each event of the service once, the oldest first, if it is not older than the deployment. */
function eventTeller(ours: Followed, progress: Progress) {
  const told = new Set<string>()
  return ({ events = [] }: Service) => {
    for (const { id, createdAt, message } of events.toReversed()) {
      if (told.has(id) || createdAt < ours.createdAt) continue
      told.add(id)
      progress.say(`ECS: ${message}`)
    }
  }
}

function counts(service: Service, ours: Followed): string {
  const mine = service.deployments.find(({ id }) => id === ours.id)
  const name = revisionName(ours.taskDefinition)
  if (!mine) return `${name}: not begun`
  const { runningCount, pendingCount, failedTasks = 0, desiredCount } = mine
  const others = service.deployments
    .filter((each) => each !== mine)
    .map((each: Deployment) => `; ${each.runningCount} of ${revisionName(each.taskDefinition)}`)
  return `${name}: ${runningCount} running, ${pendingCount} pending, ${failedTasks} failed, of ${desiredCount}${others.join('')}`
}

function tooLate(target: Target, ours: Followed, timeoutMs: number): KodusError {
  const minutes = Math.round(timeoutMs / 6_000) / 10
  return new KodusError(
    'DEPLOYMENT_TIMEOUT',
    `${revisionName(ours.taskDefinition)} was not deployed within ${minutes} minutes; it is still under way.`,
    { help: `The events above say what it waits for. ${goOn(target)}` },
  )
}

function ended(target: Target, ours: Followed, inHistory: string | undefined): KodusError {
  const stop = inHistory
    ? ` To stop it: aws ecs stop-service-deployment --service-deployment-arn ${inHistory} --stop-type ROLLBACK`
    : ''
  return new KodusError(
    'FOLLOWING_ENDED',
    `Nobody follows it any more, but ${revisionName(ours.taskDefinition)} goes on being deployed.`,
    { help: `${goOn(target)}${stop}` },
  )
}

/** What AWS does not let us see goes on all the same. */
function stillGoingOn(error: unknown, target: Target): unknown {
  if (!(error instanceof KodusError) || !error.code.startsWith('AWS_')) return error
  const help = `${error.help} The deployment itself goes on. ${goOn(target)}`
  return new KodusError(error.code, error.message, { help, cause: error.cause })
}

function goOn(target: Target): string {
  const options = optionsFor(target)
  return `To follow it: kodus deploy ${target.name} --follow${options}. To go back: kodus rollback ${target.name}${options}.`
}
