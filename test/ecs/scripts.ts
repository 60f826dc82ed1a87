import { beginDeployment, complete, type Step, tell } from './world.ts'

/** What ECS makes of a deployment: its words and the order of its steps are those of the real one. */

const starting: Step = (world, mine) => {
  mine.pendingCount = mine.desiredCount
  tell(world, `has started ${mine.desiredCount} tasks: (task 0123) (task 4567) (task 89ab).`)
}

const running: Step = (_, mine) => {
  mine.pendingCount = 0
  mine.runningCount = mine.desiredCount
}

/** All run and none is left of before, but ECS still looks at the alarms. */
const baking: Step = (world, mine) => {
  if (world.service) world.service.deployments = [mine]
}

/** Completed in ECS's words, with one task too few. */
const oneTooFew: Step = (world, mine) => {
  mine.rolloutState = 'COMPLETED'
  mine.runningCount = mine.desiredCount - 1
  if (world.service) world.service.runningCount = mine.desiredCount - 1
}

const steady: Step = (world) => {
  complete(world)
  tell(world, 'has reached a steady state.')
}

export const succeeds: Step[] = [starting, running, baking, oneTooFew, steady]

const BREAKER = 'ECS deployment circuit breaker: tasks failed to start.'

const tasksFail: Step = (world, mine) => {
  mine.failedTasks = 3
  mine.pendingCount = 0
  world.stoppedTasks = [1, 2, 3].map(() => ({
    taskDefinitionArn: mine.taskDefinition,
    stoppedReason: 'Essential container in task exited',
    containers: [{ name: 'worker', exitCode: 2 }, { name: 'log-router' }],
  }))
  tell(world, `(deployment ${mine.id}) deployment failed: tasks failed to start.`)
}

/** ECS gives ours up, and makes the revision before its aim. */
function rollBack(reason: string, alarms: string[] = []): Step {
  return (world, mine) => {
    const { service } = world
    if (!service) return
    mine.rolloutState = 'FAILED'
    mine.rolloutStateReason = reason
    const [, before] = service.deployments
    if (!before) return
    service.deployments = [mine]
    const words = `ECS deployment circuit breaker: rolling back to deploymentId ${before.id}.`
    const entry = world.history.at(-1)
    beginDeployment(world, service, before.taskDefinition, words)
    Object.assign(entry ?? {}, {
      status: 'ROLLBACK_IN_PROGRESS',
      statusReason: reason,
      rollback: { reason, startedAt: world.now() },
      ...(alarms.length > 0
        ? { alarms: { status: 'TRIGGERED', alarmNames: alarms, triggeredAlarmNames: alarms } }
        : {}),
    })
    tell(world, `rolling back to deployment ${before.id}.`)
  }
}

const rolledBack: Step = (world) => {
  complete(world)
  const entry = world.history.at(-1)
  if (entry) entry.status = 'ROLLBACK_SUCCESSFUL'
}

export const rolledBackByBreaker: Step[] = [starting, tasksFail, rollBack(BREAKER), rolledBack]

export const rolledBackByAlarm: Step[] = [
  starting,
  running,
  rollBack('ECS deployment failed: alarm detected.', ['worker-jobs-failing']),
  rolledBack,
]

/** The same, but between two looks: what is seen is a service as stable as after a success. */
export const rolledBackUnseen: Step[] = [
  starting,
  (world, mine) => {
    for (const step of [tasksFail, rollBack(BREAKER), rolledBack]) step(world, mine)
  },
]

/** The breaker without rollback: ECS gives up, and nothing else happens. */
export const failsAndStays: Step[] = [
  starting,
  tasksFail,
  (_, mine) => {
    mine.rolloutState = 'FAILED'
    mine.rolloutStateReason = BREAKER
  },
]

/** Somebody else deploys another revision, and that succeeds. */
export function supersededBy(taskDefinition: string): Step[] {
  return [
    starting,
    (world) => {
      const entry = world.history.at(-1)
      if (entry) Object.assign(entry, { status: 'STOPPED', statusReason: 'Stopped by a new deployment.' })
      if (world.service) beginDeployment(world, world.service, taskDefinition)
    },
    steady,
  ]
}

export const switchedOff: Step[] = [
  starting,
  (world, mine) => {
    if (world.service) Object.assign(world.service, { desiredCount: 0, runningCount: 0 })
    Object.assign(mine, { desiredCount: 0, pendingCount: 0, rolloutState: 'COMPLETED' })
    if (world.service) world.service.deployments = [mine]
  },
]

export const deleted: Step[] = [
  starting,
  (world) => {
    if (world.service) world.service.status = 'INACTIVE'
  },
]

/** Somebody stops it (StopServiceDeployment), and ECS leaves it where it is. */
export const stopped: Step[] = [
  starting,
  (world) => {
    const entry = world.history.at(-1)
    if (entry) Object.assign(entry, { status: 'STOPPED', statusReason: 'Stopped by user request.' })
  },
]

/** As when no host has room. */
export const neverEnds: Step[] = [
  starting,
  (world) =>
    tell(world, 'was unable to place a task because no container instance met all of its requirements.'),
]
