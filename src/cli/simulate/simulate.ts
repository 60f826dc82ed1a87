import { COMPONENTS, CPU_UNITS_PER_VCPU } from '../../components.ts'
import { TYPES } from '../../ecs-capacity.ts'
import { evaluate, stillGrowing } from './autoscaler.ts'
import { deploy, type Fleet, healthyCount, keepDesired, working } from './fleet.ts'
import { serve } from './front.ts'
import type { Values } from './inputs.ts'
import { addJobs, addRequests, datapointsOf, emptyMinute, type Minute } from './observe.ts'
import type { Policy } from './policy.ts'
import { keepProtected } from './protection.ts'
import { randomFrom } from './random.ts'
import { checkAccounts, type State, startOf } from './state.ts'
import type { Phase, Trace } from './trace.ts'
import { endWorkers, enqueue, runJobs } from './work.ts'

export interface Run {
  readonly trace: Trace
  readonly policy: Policy
  readonly values: Values
  /** Draws how long each review takes. */
  readonly seed: number
}

/**
 * Replays a trace against a policy, second by second. The same run gives the same states, everywhere: there is no clock,
 * and no chance but that of the seed.
 *
 * @param look is shown the state after each second: one object, which changes
 * @throws KodusError SIMULATION_WRONG when, after any second, what arrived is not what was served, was refused, or waits
 */
export function simulate(run: Run, look: (state: State) => void): void {
  const { trace, policy, values, seed } = run
  const state = startOf(policy, values)
  const arrivals = createArrivals(seed, values)
  let minute = emptyMinute()
  for (let second = 0; second < trace.seconds; second += 1) {
    state.second = second
    for (const { atSecond, component } of trace.deploys) {
      if (atSecond === second) deploy(state.services[component].fleet)
    }
    takeRequests(state, minute, arrivals, phaseAt(trace, second), values)
    const { worker } = state.services
    runJobs(state.work, worker.fleet, second, values)
    if (policy.services.worker.protects) keepProtected(worker.fleet, second, values)
    addJobs(minute, state.work, worker, values)
    if (second % 60 === 59) {
      tell(state, minute, run)
      minute = emptyMinute()
      scale(state, run)
    }
    for (const { fleet, scaler } of Object.values(state.services)) {
      keepDesired(fleet, second)
      if (healthyCount(fleet, second) < fleet.desired) stillGrowing(scaler, second)
    }
    endWorkers(state.work, worker.fleet, second, { stop: policy.services.worker.stop, values })
    endServers(state, values)
    checkAccounts(state)
    look(state)
  }
}

interface Arrivals {
  webhooks(rate: number): number
  requests(rate: number): number
  jobs(rate: number): number
  jobSeconds(factor: number): number
}

function createArrivals(seed: number, values: Values): Arrivals {
  const random = randomFrom(seed)
  return {
    webhooks: evenly(),
    requests: evenly(),
    jobs: evenly(),
    jobSeconds(factor) {
      const spread = 1 - values.jobSpread + 2 * values.jobSpread * random()
      return Math.max(1, Math.round(values.jobSeconds * factor * spread))
    },
  }
}

/** Whole numbers that add up to a rate of fractions. */
function evenly(): (rate: number) => number {
  let left = 0
  return (rate) => {
    // Without rounding, sixty sixtieths are less than one.
    left = Math.round((left + rate) * 1e9) / 1e9
    const whole = Math.floor(left)
    left -= whole
    return whole
  }
}

function phaseAt({ phases }: Trace, second: number): Phase {
  const phase = phases.findLast(({ fromSecond }) => fromSecond <= second)
  if (!phase) throw new RangeError('The first phase of a trace begins at second 0.')
  return phase
}

function takeRequests(state: State, minute: Minute, arrivals: Arrivals, phase: Phase, values: Values): void {
  const { second, services, webhooks, api, work } = state
  const patience = values.patienceSeconds
  const handlers = working(services.webhook.fleet, second).length
  const servers = working(services.api.fleet, second).length
  const accepted = serve(webhooks, second, {
    arrivals: arrivals.webhooks(phase.webhooksPerMinute / 60),
    capacity: handlers * values.webhookTaskPerSecond,
    patience,
  })
  const answered = serve(api, second, {
    arrivals: arrivals.requests(phase.apiRequestsPerMinute / 60),
    capacity: servers * Math.floor(COMPONENTS.api.task.cpuUnits / CPU_UNITS_PER_VCPU / values.apiCpuSeconds),
    patience,
  })
  addRequests(minute, 'webhook', accepted, handlers)
  addRequests(minute, 'api', answered, servers)
  for (let jobs = arrivals.jobs(accepted * values.jobsPerWebhook); jobs > 0; jobs -= 1) {
    enqueue(work, { arrivedAt: second, seconds: arrivals.jobSeconds(phase.jobFactor) })
  }
}

function tell({ services, second }: State, minute: Minute, { trace, values }: Run): void {
  const points = datapointsOf(minute, services, second, values)
  const silent = trace.silences.some(({ fromSecond, toSecond }) => fromSecond <= second && second < toSecond)
  for (const type of TYPES) services[type].series.minutes.push(silent ? {} : points[type])
}

function scale({ services, second }: State, { policy, values }: Run): void {
  for (const type of TYPES) {
    const { fleet, scaler, series } = services[type]
    fleet.desired = evaluate(scaler, {
      now: second + 1,
      desired: fleet.desired,
      deploying: fleet.deploying,
      series,
      policy: policy.services[type],
      values,
    })
  }
}

/** A handler or API serves what it has, and goes: first its load balancer sends it nothing more, then it drains. */
function endServers({ services, second }: State, values: Values): void {
  const after = values.deregistrationSeconds + values.drainSeconds
  const gone = ({ stopAskedAt }: Fleet['tasks'][number]) =>
    stopAskedAt !== undefined && second - stopAskedAt >= after
  for (const { fleet } of [services.webhook, services.api]) {
    fleet.tasks = fleet.tasks.filter((task) => !gone(task))
  }
}
