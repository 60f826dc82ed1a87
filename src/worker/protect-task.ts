import type { JobTaker } from '../jobs/queue.ts'
import { abortable } from '../lib/abortable.ts'
import { setTaskProtection } from '../lib/ecs/task-protection.ts'
import { asKodusError } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { settledWithin } from '../lib/settled-within.ts'
import { taskProtectionFailures } from '../lib/telemetry/catalogue.ts'

export interface ProtectTaskOptions {
  /** ECS_AGENT_URI; undefined outside ECS, where there is nothing to ask. */
  agentUri: string | undefined
  log: Log
  /** Aborted when the worker stops: nothing is asked for, or waited for, from then on. */
  stopping: AbortSignal
  timing?: Partial<typeof TIMING>
}

/** Milliseconds, but for `expiresMinutes`. */
const TIMING = {
  /** How long jobs wait for the protection before they run without. */
  waitMs: 2_000,
  /** With nothing in hand for so long, it is given back. A worker with a job now and then does not ask twice for each. */
  lingerMs: 10_000,
  /** After so long it is renewed, or given back for a moment. */
  termMs: 10 * 60_000,
  /** How long that moment is. ECS notices such things within seconds. */
  openMs: 60_000,
  /** Until it is asked again after a failure. */
  retryMs: 60_000,
  /** Two terms: an agent that is away for less costs no protection, and that of a worker that hangs ends by itself. */
  expiresMinutes: 20,
  tickMs: 1_000,
}

const NOT = {
  protect: 'this task is not protected from scale-in',
  'give back': 'the protection of this task is not given back',
}

/**
 * Has ECS leave this task alone while it holds jobs, as far as ECS grants it. Whatever the agent does, jobs run.
 *
 * Asked for between the claim and the first step of a job: an idle worker claims every second, and would be protected
 * always if it were before. Who is chosen to end in that moment gets SIGTERM, and hands back what it cannot finish.
 *
 * ECS ends no deployment while old tasks are protected, and a worker under load always holds something. So protection
 * comes in terms: at the end of each it is renewed only for a job that has been in hand since its beginning. Otherwise
 * the task is open for a minute, in which all it holds is young: it is finished within the grace period, or handed back.
 *
 * A worker that stops gives nothing back: ECS has chosen already, and the protection ends with the task.
 */
export function protectTask<Job extends object>(
  taker: JobTaker<Job>,
  options: ProtectTaskOptions,
): JobTaker<Job> {
  const { agentUri = '', log, stopping } = options
  if (!agentUri) return taker
  const timing = { ...TIMING, ...options.timing }
  const held = new Set<Job>()
  let term: { endsAt: number; began: ReadonlySet<Job> } | undefined
  let idleSince = 0
  let openUntil = 0
  let retryAt = 0
  let outage: string | undefined
  let adjusting: Promise<void> | undefined

  /** What should be asked for now, if anything. */
  function due(now: number): 'protect' | 'give back' | undefined {
    if (stopping.aborted || now < retryAt) return undefined
    if (!term) return held.size > 0 && now >= openUntil ? 'protect' : undefined
    if (held.size === 0) return now - idleSince >= timing.lingerMs ? 'give back' : undefined
    if (now < term.endsAt) return undefined
    return [...term.began].some((job) => held.has(job)) ? 'protect' : 'give back'
  }

  async function ask(what: 'protect' | 'give back'): Promise<void> {
    const now = performance.now()
    const busy = held.size > 0
    try {
      await setTaskProtection(agentUri, what === 'protect' ? timing.expiresMinutes : 0)
      term = what === 'protect' ? { endsAt: now + timing.termMs, began: new Set(held) } : undefined
      openUntil = what === 'give back' && busy ? now + timing.openMs : 0
      if (outage) log.info('ECS answers for the protection of this task again')
      outage = undefined
    } catch (thrown) {
      const { code, message, help } = asKodusError(thrown)
      retryAt = performance.now() + timing.retryMs
      taskProtectionFailures.add({ code })
      const level = code === 'TASK_PROTECTION_BLOCKED' ? 'info' : 'warn'
      if (code !== outage) log[level]({ code, help }, `${NOT[what]}, going on: ${message}`)
      outage = code
    }
  }

  async function adjust(): Promise<void> {
    for (let what = due(performance.now()); what; what = due(performance.now())) await ask(what)
  }

  /** One question at a time: the last one asked is the one that counts. */
  function adjusted(): Promise<void> {
    adjusting ??= adjust().finally(() => {
      adjusting = undefined
    })
    return adjusting
  }

  const timer = setInterval(() => void adjusted(), timing.tickMs)
  timer.unref()
  stopping.addEventListener('abort', () => clearInterval(timer), { once: true })

  return {
    ...taker,
    async claim(count) {
      const jobs = await taker.claim(count)
      if (jobs === 'later' || jobs.length === 0) return jobs
      for (const job of jobs) held.add(job)
      await abortable(settledWithin(timing.waitMs, adjusted()), stopping).catch(() => {})
      return jobs
    },
    async run(job) {
      try {
        await taker.run(job)
      } finally {
        held.delete(job)
        if (held.size === 0) idleSince = performance.now()
      }
    },
  }
}
