import type { ComponentType } from '../../components.ts'
import { perComponent } from '../../ecs-capacity.ts'
import { type Autoscaler, createAutoscaler } from './autoscaler.ts'
import { type Fleet, steadyFleet, wrong } from './fleet.ts'
import { createFront, type Front, waitingIn } from './front.ts'
import type { Values } from './inputs.ts'
import type { Series } from './metrics.ts'
import type { Policy } from './policy.ts'
import { createWork, runningIn, type Work } from './work.ts'

export interface Service {
  readonly fleet: Fleet
  readonly scaler: Autoscaler
  readonly series: Series
}

/** What stands at the end of a second. */
export interface State {
  second: number
  readonly services: Readonly<Record<ComponentType, Service>>
  readonly webhooks: Front
  readonly api: Front
  readonly work: Work
}

/** All services as a policy has them in the beginning, with nothing to do. */
export function startOf(policy: Policy, values: Values): State {
  const services = perComponent((type) => policy.services[type].tasks.desired)
  const service = (type: ComponentType): Service => ({
    fleet: steadyFleet(services[type], startupOf(type, values)),
    scaler: createAutoscaler(),
    series: { minutes: [] },
  })
  return {
    second: 0,
    services: { webhook: service('webhook'), api: service('api'), worker: service('worker') },
    webhooks: createFront(),
    api: createFront(),
    work: createWork(),
  }
}

function startupOf(type: ComponentType, values: Values): Fleet['startup'] {
  const ready = {
    webhook: values.webhookReadySeconds,
    api: values.apiReadySeconds,
    worker: values.workerReadySeconds,
  }
  const up = Math.ceil(values.placementSeconds + ready[type])
  const healthy = up + values.containerCheckSeconds
  // What takes requests is sent them when its load balancer has found it; a worker takes jobs by itself.
  if (type === 'worker') return { worksAfter: up, healthyAfter: healthy }
  const inService = Math.max(healthy, up + values.targetCheckSeconds)
  return { worksAfter: inService, healthyAfter: inService }
}

/** Asserts that nothing came from nowhere and nothing is lost: arrived = served + refused + what waits or runs. */
export function checkAccounts({ second, webhooks, api, work, services }: State): void {
  const of = { webhooks, requests: api }
  for (const [what, front] of Object.entries(of)) {
    const found = front.served + front.refused + waitingIn(front)
    if (front.arrived !== found) throw wrong(`${found} ${what} of ${front.arrived} at second ${second}`)
  }
  const found = work.completed + work.waiting.length + work.lapsing.length + runningIn(services.worker.fleet)
  if (work.arrived !== found) throw wrong(`${found} jobs of ${work.arrived} at second ${second}`)
}
