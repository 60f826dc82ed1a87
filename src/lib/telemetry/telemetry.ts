import { hostname } from 'node:os'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { settledWithin } from '../settled-within.ts'
import { VERSION } from '../version.ts'
import { CATALOGUE } from './catalogue.ts'
import type { PushConfig } from './config.ts'
import { observeProcess } from './observe-process.ts'
import { renderOpenMetrics } from './open-metrics.ts'
import { createRegistry, type Registry } from './registry.ts'

export interface Telemetry {
  /** Adds gauges that only this component can tell. */
  observe: Registry['observe']
  /** What there is to tell now, as OpenMetrics text. */
  render(): Promise<string>
  /** Pushes what is left, for 2 s at most. */
  stop(): Promise<void>
}

const FLUSH_WITHIN_MS = 2_000

/**
 * Counts what this process does and, where OTLP is configured, pushes it, with its traces. Holds nobody up:
 * what is needed for pushing is loaded meanwhile.
 *
 * @param component as in the log: `worker`
 * @param instanceId of the installation
 */
export function startTelemetry({
  component,
  instanceId,
  config,
  log,
}: {
  component: string
  instanceId: string
  config: PushConfig
  log: Log
}): Telemetry {
  const resource = {
    'service.name': `kodus-${component}`,
    'service.namespace': instanceId,
    'service.version': VERSION,
    'service.instance.id': `${hostname()}:${process.pid}`,
  }
  const registry = createRegistry(CATALOGUE, log)
  observeProcess(registry)

  const load = async () => {
    const { startPush } = await import('./push.ts')
    return startPush({ config, registry, resource, log })
  }
  const pushing = config.pushMetrics || config.pushTraces ? load() : undefined
  pushing?.catch((error) => log.error(`neither metrics nor traces can be pushed: ${messageOf(error)}`))

  return {
    observe: registry.observe,
    render: async () => renderOpenMetrics(await registry.collect(), resource),
    stop: async () => {
      if (pushing)
        await settledWithin(
          FLUSH_WITHIN_MS,
          pushing.then((push) => push.stop()),
        )
      registry.close()
    },
  }
}
