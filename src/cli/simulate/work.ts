import { type Fleet, type RunningJob, type Task, working } from './fleet.ts'
import type { Values } from './inputs.ts'
import type { ServicePolicy } from './policy.ts'

type Job = Pick<RunningJob, 'arrivedAt' | 'seconds'>

/** The queue of jobs, and what became of them. */
export interface Work {
  arrived: number
  completed: number
  /** The oldest first. */
  waiting: Job[]
  /** Taken from a worker that was killed, and not to be had before. */
  lapsing: { readonly job: Job; readonly claimableAt: number }[]
  /** Jobs that a worker gave back because it had to end: they begin again. */
  handedBack: number
  /** Jobs that ran in a worker that was killed. */
  killed: number
  /** Whom the broker serves next. */
  turn: number
}

export function createWork(): Work {
  return { arrived: 0, completed: 0, waiting: [], lapsing: [], handedBack: 0, killed: 0, turn: 0 }
}

export function enqueue(work: Work, job: Job): void {
  work.arrived += 1
  work.waiting.push(job)
}

export function runningIn({ tasks }: Fleet): number {
  return tasks.reduce((sum, { jobs }) => sum + jobs.length, 0)
}

/** How many jobs run at once, however many slots there are. */
export function runningLimit({ organisations, runningPerOrganisation }: Values): number {
  return organisations * runningPerOrganisation
}

/** How long the oldest job that could be claimed has waited. */
export function oldestWait(work: Work, now: number): number {
  return work.waiting[0] ? now - work.waiting[0].arrivedAt : 0
}

/** Completes what is done, and gives free slots to those who have waited longest, one worker after the other. */
export function runJobs(work: Work, fleet: Fleet, now: number, values: Values): void {
  for (const task of fleet.tasks) {
    const before = task.jobs.length
    task.jobs = task.jobs.filter((job) => now - job.startedAt < job.seconds)
    work.completed += before - task.jobs.length
  }
  const due = work.lapsing.filter(({ claimableAt }) => claimableAt <= now)
  if (due.length > 0) {
    work.lapsing = work.lapsing.filter(({ claimableAt }) => claimableAt > now)
    giveBack(
      work,
      due.map(({ job }) => job),
    )
  }
  claim(work, fleet, now, values)
}

function claim(work: Work, fleet: Fleet, now: number, values: Values): void {
  const workers = working(fleet, now).filter(({ jobs }) => jobs.length < values.slots)
  let room = Math.min(work.waiting.length, runningLimit(values) - runningIn(fleet))
  const taken = work.waiting.splice(0, Math.max(0, room))
  for (const [i, job] of taken.entries()) {
    const task = nextFree(workers, work, values.slots)
    if (!task) {
      work.waiting.unshift(...taken.slice(i))
      return
    }
    task.jobs.push({ ...job, startedAt: now })
    room -= 1
  }
}

function nextFree(workers: readonly Task[], work: Work, slots: number): Task | undefined {
  for (let i = 0; i < workers.length; i += 1) {
    const task = workers[(work.turn + i) % workers.length]
    if (task && task.jobs.length < slots) {
      work.turn = (work.turn + i + 1) % workers.length
      return task
    }
  }
  return undefined
}

/** Ends workers that were asked to stop, when they hold nothing more or their time is over. */
export function endWorkers(
  work: Work,
  fleet: Fleet,
  now: number,
  { stop, values }: { stop: ServicePolicy['stop']; values: Values },
): void {
  fleet.tasks = fleet.tasks.filter((task) => {
    if (task.stopAskedAt === undefined) return true
    if (task.jobs.length > 0 && now - task.stopAskedAt < stop.seconds) return true
    if (stop.handsBack) {
      work.handedBack += task.jobs.length
      giveBack(work, task.jobs)
    } else {
      work.killed += task.jobs.length
      const claimableAt = now + values.leaseSeconds
      work.lapsing.push(...task.jobs.map((job) => ({ job, claimableAt })))
    }
    return false
  })
}

function giveBack(work: Work, jobs: readonly Job[]): void {
  const again = jobs.map(({ arrivedAt, seconds }) => ({ arrivedAt, seconds }))
  work.waiting = [...again, ...work.waiting].sort((a, b) => a.arrivedAt - b.arrivedAt)
}
