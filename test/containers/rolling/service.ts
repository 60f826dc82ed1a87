import { setTimeout as sleep } from 'node:timers/promises'
import type { Engine } from '../engine.ts'
import type { LoadBalancer } from '../load-balancer.ts'
import { inspectTasks, lastWords, startTask, stopTask, type TaskDefinition, type TaskStatus } from './task.ts'

// What ECS does with a service, as its documentation has it: keep a number of tasks running, and replace all of them
// with those of another image so that never fewer than all are healthy and never more than twice as many run.

const MINIMUM_HEALTHY_PERCENT = 100
const MAXIMUM_PERCENT = 200
/** The circuit breaker's threshold: half of the desired tasks, and within these bounds. */
const [LEAST_FAILURES, MOST_FAILURES] = [3, 200]
const TURN_MS = 1_000

/** As ECS calls them, from its start to its end. RUNNING: healthy, and sent requests where there are any. */
type TaskState = 'ACTIVATING' | 'RUNNING' | 'DEACTIVATING' | 'STOPPING'

interface Task {
  id: string
  name: string
  deployment: Deployment
  state: TaskState
  /** Whether the load balancer has found it ready; so from the start where there is none. */
  inService: boolean
  /** What will be said of its end. */
  end: Ended['how']
}

interface Deployment {
  image: string
  /** Why tasks of it failed to become healthy, since the last that did. */
  failures: string[]
  ended(outcome: Outcome): void
}

/** How an update ended. */
export type Outcome = { did: 'complete' } | { did: 'roll back'; reason: string }

/** A task that has ended. */
export interface Ended {
  name: string
  image: string
  /** Whether somebody wanted that: a deployment that goes, whoever killed it; a bad one of a deployment failed to start. */
  how: 'asked' | 'killed' | 'failed' | 'unasked'
  exitCode: number
  outOfMemory: boolean
}

export interface ServiceOptions {
  engine: Engine
  name: string
  image: string
  desired: number
  task: TaskDefinition
  /** Where its tasks are sent requests from; absent for what takes none. */
  balancer?: LoadBalancer
}

export interface Service {
  /**
   * Replaces all tasks with those of another image: new ones first. Resolves when only such tasks run; or, after too
   * many of them failed in a row, when only those of the image before run again.
   *
   * @param options.deregister false: the load balancer is told nothing, and has to see for itself that a task stops
   */
  update(image: string, options?: { deregister?: boolean }): Promise<Outcome>
  /** Ends a running task without a warning, and waits until that was noticed. @returns its container's id */
  killOne(): Promise<string>
  /** Resolves when all desired tasks are running. */
  steady(): Promise<void>
  /** The ids of the containers that are running. */
  running(): string[]
  /** All tasks that have ended so far. */
  ended: readonly Ended[]
  /** Stops all tasks as in an update, and starts no more. */
  stop(): Promise<void>
  /** Looks after its tasks no longer. */
  abandon(): Promise<void>
}

export function startService({
  engine,
  name,
  image,
  desired,
  task: definition,
  balancer,
}: ServiceOptions): Service {
  const minimum = Math.ceil((desired * MINIMUM_HEALTHY_PERCENT) / 100)
  const maximum = Math.floor((desired * MAXIMUM_PERCENT) / 100)
  const threshold = Math.min(Math.max(Math.ceil(desired / 2), LEAST_FAILURES), MOST_FAILURES)

  let wanted = desired
  /** What is to run. The one before it, to go back to, until it is complete. */
  let primary: Deployment = { image, failures: [], ended: () => {} }
  let previous: Deployment | undefined
  let deregisters = true
  let tasks: Task[] = []
  let started = 0
  const ended: Ended[] = []
  const stopping = new Set<Promise<void>>()
  let failure: unknown

  const stays = ({ state }: Task) => state === 'ACTIVATING' || state === 'RUNNING'
  const isNew = ({ deployment }: Task) => deployment === primary

  async function turn(): Promise<void> {
    const watched = tasks.filter(stays)
    const seen = await inspectTasks(
      engine,
      watched.map(({ id }) => id),
    )
    for (const task of watched) {
      const status = seen.get(task.id)
      if (status && stays(task)) await follow(task, status)
    }
    if (previous && primary.failures.length >= threshold) rollBack(previous)
    await startMissing()
    stopSurplus()
    if (
      previous &&
      tasks.every((task) => isNew(task) && task.state === 'RUNNING') &&
      tasks.length === wanted
    ) {
      previous = undefined
      primary.ended({ did: 'complete' })
    }
  }

  /** Takes note of what became of a task. */
  async function follow(task: Task, status: TaskStatus): Promise<void> {
    if (!status.running) {
      if (task.state === 'ACTIVATING')
        await failed(task, `ended with ${status.exitCode} before it was healthy`)
      note(task, status)
      await remove(task)
    } else if (status.health === 'unhealthy') {
      if (task.state === 'ACTIVATING') await failed(task, 'was not healthy in time')
      retire(task)
    } else if (task.state === 'ACTIVATING' && status.health === 'healthy' && task.inService) {
      task.state = 'RUNNING'
      task.deployment.failures = []
    }
  }

  function note(
    { name, end: how, deployment: { image } }: Task,
    { exitCode, outOfMemory }: TaskStatus,
  ): void {
    ended.push({ name, image, how: outOfMemory ? 'unasked' : how, exitCode, outOfMemory })
  }

  async function failed(task: Task, how: string): Promise<void> {
    task.end = 'failed'
    task.deployment.failures.push(`${task.name} ${how}: ${await lastWords(engine, task.id)}`)
  }

  function rollBack(to: Deployment): void {
    const { ended, failures } = primary
    const reason = `${failures.length} tasks in a row failed; the last: ${failures.at(-1)}`
    primary = { ...to, failures: [], ended: () => ended({ did: 'roll back', reason }) }
    for (const task of tasks) if (task.deployment === to) task.deployment = primary
  }

  async function startMissing(): Promise<void> {
    const missing = wanted - tasks.filter((task) => stays(task) && isNew(task)).length
    const room = maximum - tasks.length
    for (let n = 0; n < Math.min(missing, room); n++) {
      const name_ = `${name}-${++started}`
      const id = await startTask(engine, name_, primary.image, definition)
      const task: Task = {
        id,
        name: name_,
        deployment: primary,
        state: 'ACTIVATING',
        inService: !balancer,
        end: 'unasked',
      }
      tasks.push(task)
      if (balancer) register(task, balancer)
    }
  }

  /** It is sent requests when it says that it is ready. One that never does is not healthy, and ends. */
  function register(task: Task, balancer: LoadBalancer): void {
    balancer.add(task.name).then(
      () => {
        task.inService = true
      },
      () => {},
    )
  }

  /** Old ones, and those that were never healthy first, as long as enough are healthy without them. */
  function stopSurplus(): void {
    const surplus = tasks.filter((task) => stays(task) && (!isNew(task) || wanted === 0))
    for (const task of surplus) {
      const running = tasks.filter(({ state }) => state === 'RUNNING').length
      if (task.state === 'RUNNING' && running <= minimum && wanted > 0) continue
      if (task.end === 'unasked') task.end = 'asked'
      retire(task)
    }
  }

  function retire(task: Task): void {
    const done = stopInOrder(task).catch((error: unknown) => {
      failure ??= error
    })
    stopping.add(done)
    void done.then(() => stopping.delete(done))
  }

  /** First it is sent nothing more, then it is asked to stop. */
  async function stopInOrder(task: Task): Promise<void> {
    task.state = 'DEACTIVATING'
    if (deregisters && task.inService) await balancer?.drain(task.name)
    task.state = 'STOPPING'
    await stopTask(engine, task.id, definition.type)
    const status = (await inspectTasks(engine, [task.id])).get(task.id)
    if (status) note(task, status)
    if (!deregisters) await seenDown(task)
    await remove(task)
  }

  /** Nobody tells the load balancer: it is left to see by itself that a task is gone. */
  async function seenDown({ name }: Task): Promise<void> {
    const isUp = async () =>
      (await balancer?.servers())?.some(({ container, state }) => container === name && state === 'up')
    while (await isUp()) await sleep(TURN_MS)
  }

  async function remove(task: Task): Promise<void> {
    tasks = tasks.filter((each) => each !== task)
    if (task.inService) await balancer?.remove(task.name)
    await engine.docker('rm', '--force', '--volumes', task.id)
  }

  let going = true
  const loop = (async () => {
    while (going) {
      try {
        await turn()
      } catch (error) {
        failure ??= error
      }
      await sleep(TURN_MS)
    }
  })()

  /** @throws what went wrong in the platform itself */
  async function until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      if (failure) throw failure
      await sleep(100)
    }
  }
  const isSteady = () =>
    tasks.length === wanted && tasks.every((task) => isNew(task) && task.state === 'RUNNING')

  return {
    ended,
    steady: () => until(isSteady),
    running: () => tasks.filter(({ state }) => state === 'RUNNING').map(({ id }) => id),

    async update(next, { deregister = true } = {}) {
      let outcome: Outcome | undefined
      deregisters = deregister
      previous = primary
      primary = {
        image: next,
        failures: [],
        ended: (how) => {
          outcome = how
        },
      }
      await until(() => outcome !== undefined)
      deregisters = true
      return outcome ?? { did: 'complete' }
    },

    async killOne() {
      const task = tasks.find(({ state }) => state === 'RUNNING')
      if (!task) throw new Error(`${name} has no running task`)
      task.end = 'killed'
      await engine.docker('kill', task.id)
      await until(() => !tasks.includes(task))
      return task.id
    },

    async stop() {
      wanted = 0
      await until(() => tasks.length === 0)
      going = false
      await loop
    },

    async abandon() {
      going = false
      await Promise.all([loop, ...stopping])
    },
  }
}
