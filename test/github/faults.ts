import type { FaultHandle } from './server.ts'
import type { Failure, Fault } from './types.ts'

/** What a fault is matched against. */
export interface FaultyRequest {
  method: string
  path: string
  operation?: string
  body: unknown
}

export interface ActiveFault {
  failure: Failure
  /** When it is let go, for failures that hold. */
  released: Promise<void>
}

export interface Faults {
  fail(fault: Fault): FaultHandle
  recover(): void
  /** The fault that happens to this request, if any; using it up. */
  take(request: FaultyRequest): ActiveFault | undefined
}

interface Planned {
  fault: Fault
  left: number
  skip: number
  happened: number
  waiting: (() => void)[]
  released: Promise<void>
  release(): void
}

export function createFaults(): Faults {
  let planned: Planned[] = []

  return {
    fail(fault) {
      const plan = toPlan(fault)
      planned.push(plan)
      return {
        happened: () => plan.happened,
        next: () => new Promise<void>((resolve) => plan.waiting.push(resolve)),
        release: plan.release,
      }
    },
    recover() {
      for (const plan of planned) plan.release()
      planned = []
    },
    take(request) {
      const plan = planned.find((each) => each.left > 0 && fits(each.fault, request) && each.skip-- <= 0)
      if (!plan) return undefined
      plan.left -= 1
      plan.happened += 1
      for (const wake of plan.waiting.splice(0)) wake()
      return { failure: plan.fault.with, released: plan.released }
    },
  }
}

function toPlan(fault: Fault): Planned {
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  // A position that the diff does not have is not there the next time either.
  const usually = 'unresolvable' in fault.with ? Number.POSITIVE_INFINITY : 1
  const left = fault.times ?? usually
  return { fault, left, skip: fault.after ?? 0, happened: 0, waiting: [], released, release }
}

function fits(fault: Fault, { method, path, operation, body }: FaultyRequest): boolean {
  return (
    (fault.method === undefined || fault.method === method) &&
    (fault.path === undefined || fault.path.test(path)) &&
    (fault.operation === undefined || fault.operation === operation) &&
    (fault.body === undefined || fault.body.test(JSON.stringify(body ?? null))) &&
    (!('unresolvable' in fault.with) || commentsOn(body, fault.with.unresolvable))
  )
}

/** Whether a request would comment at this place: alone, or among others of a review. */
function commentsOn(body: unknown, place: { path: string; line?: number }): boolean {
  if (typeof body !== 'object' || body === null) return false
  const { comments, variables } = body as { comments?: unknown[]; variables?: object }
  const inputs = Object.values(variables ?? {}).filter((value) => typeof value === 'object' && value !== null)
  return [body, ...inputs, ...(Array.isArray(comments) ? comments : [])].some((comment) => {
    const { path, line } = comment as { path?: string; line?: number }
    return path === place.path && (place.line === undefined || line === place.line)
  })
}
