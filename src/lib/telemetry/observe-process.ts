import { monitorEventLoopDelay } from 'node:perf_hooks'
import {
  cpuTime,
  eventLoopDelayMax,
  eventLoopDelayP50,
  eventLoopDelayP99,
  residentMemory,
  uptime,
} from './catalogue.ts'
import type { Registry } from './registry.ts'

/** Milliseconds between the timers whose lateness is measured: 50 wake-ups a second cost nothing that shows. */
const RESOLUTION_MS = 20

/**
 * Memory, CPU time and event loop delay of this process. No timer runs until somebody collects; the first
 * collection tells of no delay.
 */
export function observeProcess(registry: Registry): void {
  let delays: ReturnType<typeof monitorEventLoopDelay> | undefined

  /** The histogram holds the whole time from timer to timer, in nanoseconds. */
  const delayAt = (percent: number) =>
    Math.max(0, (delays?.percentile(percent) ?? 0) / 1e9 - RESOLUTION_MS / 1e3)

  const takeDelays = () => {
    if (!delays) {
      delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
      delays.enable()
      return []
    }
    const taken = [
      eventLoopDelayP50.is(delayAt(50), {}),
      eventLoopDelayP99.is(delayAt(99), {}),
      eventLoopDelayMax.is(delayAt(100), {}),
    ]
    delays.reset()
    return taken
  }

  registry.observe('this process', () => {
    const { user, system } = process.cpuUsage()
    return [
      residentMemory.is(process.memoryUsage.rss(), {}),
      cpuTime.is((user + system) / 1e6, {}),
      uptime.is(process.uptime(), {}),
      ...takeDelays(),
    ]
  })
}
