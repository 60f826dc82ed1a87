import { KodusError } from '../../lib/errors.ts'

/** A review that a task has in hand. */
export interface RunningJob {
  /** When its webhook came. */
  readonly arrivedAt: number
  /** How long it takes from its beginning. */
  readonly seconds: number
  readonly startedAt: number
}

/** A term of protection: when it ends, and what was in hand when it began. */
interface Protection {
  readonly endsAt: number
  readonly began: ReadonlySet<RunningJob>
}

export interface Task {
  readonly id: number
  readonly revision: number
  readonly startedAt: number
  /** From then on it does its work. */
  readonly worksAt: number
  /** From then on it counts. */
  readonly healthyAt: number
  /** When ECS decided to end it. */
  stopAskedAt?: number
  jobs: RunningJob[]
  /** While ECS may not end it. */
  protection?: Protection | undefined
  /** It asks for no protection before. */
  openUntil: number
  idleSince: number
}

/** The tasks of one service, and what ECS does with them: 100 % minimum healthy, 200 % maximum. */
export interface Fleet {
  tasks: Task[]
  desired: number
  /** Counts up with each deploy. */
  revision: number
  deploying: boolean
  lastId: number
  readonly startup: { readonly worksAfter: number; readonly healthyAfter: number }
}

/** A service whose desired tasks all run already. */
export function steadyFleet(desired: number, startup: Fleet['startup']): Fleet {
  const fleet: Fleet = { tasks: [], desired, revision: 1, deploying: false, lastId: 0, startup }
  for (let i = 0; i < desired; i += 1) start(fleet, -startup.healthyAfter)
  return fleet
}

export function deploy(fleet: Fleet): void {
  fleet.revision += 1
  fleet.deploying = true
}

/** Tasks that ECS has not decided to end. */
export function staying({ tasks }: Fleet): Task[] {
  return tasks.filter(({ stopAskedAt }) => stopAskedAt === undefined)
}

/** Those of them that do their work. */
export function working(fleet: Fleet, now: number): Task[] {
  return staying(fleet).filter(({ worksAt }) => worksAt <= now)
}

export function healthyCount(fleet: Fleet, now: number): number {
  return staying(fleet).filter(({ healthyAt }) => healthyAt <= now).length
}

/** One second of the scheduler: starts what is missing, and asks surplus tasks to stop. */
export function keepDesired(fleet: Fleet, now: number): void {
  startMissing(fleet, now)
  stopSurplus(fleet, now)
  if (!fleet.deploying) return
  const left = staying(fleet)
  fleet.deploying =
    left.some(({ revision }) => revision < fleet.revision) || healthyCount(fleet, now) < fleet.desired
}

function startMissing(fleet: Fleet, now: number): void {
  const tasks = staying(fleet)
  const current = tasks.filter(({ revision }) => revision === fleet.revision)
  const room = 2 * fleet.desired - tasks.length
  const missing = Math.min(fleet.desired - current.length, room)
  for (let i = 0; i < missing; i += 1) start(fleet, now)
}

function start(fleet: Fleet, now: number): void {
  fleet.lastId += 1
  fleet.tasks.push({
    id: fleet.lastId,
    revision: fleet.revision,
    startedAt: now,
    worksAt: now + fleet.startup.worksAfter,
    healthyAt: now + fleet.startup.healthyAfter,
    jobs: [],
    openUntil: 0,
    idleSince: now,
  })
}

function stopSurplus(fleet: Fleet, now: number): void {
  if (!fleet.deploying && staying(fleet).length <= fleet.desired) return
  for (const task of inOrderOfEnding(fleet, now)) {
    const old = task.revision < fleet.revision
    const tasks = staying(fleet)
    const surplus = old || tasks.filter(({ revision }) => revision === fleet.revision).length > fleet.desired
    // One that is not healthy yet can go at once; one that is only while enough others are.
    const enough = task.healthyAt > now || healthyCount(fleet, now) > fleet.desired
    if (surplus && enough && task.protection === undefined) askToStop(task, now)
  }
}

/** Old ones before those of the newest revision, what has not started yet before what has, then the youngest. */
function inOrderOfEnding(fleet: Fleet, now: number): Task[] {
  const rank = ({ revision, healthyAt }: Task) =>
    (revision < fleet.revision ? 0 : 2) + (healthyAt > now ? 0 : 1)
  return staying(fleet).sort((a, b) => rank(a) - rank(b) || b.id - a.id)
}

function askToStop(task: Task, now: number): void {
  if (task.protection) throw wrong(`task ${task.id} is ended at second ${now}, although it is protected`)
  task.stopAskedAt = now
}

/** A simulation that breaks its own rules is worth nothing. */
export function wrong(what: string): KodusError {
  return new KodusError('SIMULATION_WRONG', `The simulator has contradicted itself: ${what}.`, {
    help: 'This is a defect of the simulator: no figure of this run can be relied on.',
  })
}
