import { type Fleet, staying, type Task } from './fleet.ts'
import type { Values } from './inputs.ts'

/**
 * One second of what src/worker/protect-task.ts does: protection is asked for while a job is in hand, in terms; at the
 * end of one it is renewed only for a job that was in hand at its beginning, otherwise the task is open for a minute.
 * With nothing in hand it is given back.
 */
export function keepProtected(fleet: Fleet, now: number, values: Values): void {
  for (const task of staying(fleet)) {
    if (task.jobs.length > 0) task.idleSince = now
    if (task.protection) endTerm(fleet, task, now, values)
    else if (task.jobs.length > 0 && now >= task.openUntil) protect(fleet, task, now, values)
  }
}

function endTerm(fleet: Fleet, task: Task, now: number, values: Values): void {
  const { protection } = task
  if (!protection) return
  if (task.jobs.length === 0) {
    if (now - task.idleSince >= values.protectionLingerSeconds) task.protection = undefined
  } else if (now >= protection.endsAt) {
    task.protection = undefined
    if (task.jobs.some((job) => protection.began.has(job))) protect(fleet, task, now, values)
    else task.openUntil = now + values.protectionOpenSeconds
  }
}

function protect(fleet: Fleet, task: Task, now: number, values: Values): void {
  if (isBlocked(fleet)) task.openUntil = now + values.protectionRetrySeconds
  else task.protection = { endsAt: now + values.protectionTermSeconds, began: new Set(task.jobs) }
}

/** ECS refuses (DEPLOYMENT_BLOCKED) while something waits for tasks to end, and as many as desired are protected. */
function isBlocked(fleet: Fleet): boolean {
  const tasks = staying(fleet)
  const waits = fleet.deploying || tasks.length > fleet.desired
  return waits && tasks.filter(({ protection }) => protection).length >= fleet.desired
}
