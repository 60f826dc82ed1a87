import type { ComponentType } from './components.ts'
import { loadCheckoutSettings, readComponentType } from './config.ts'
import { exitOnStartError } from './lib/start-error.ts'

/** The composition root of each component, loaded alone: a process holds only what its component needs. */
const ROOMS: Record<ComponentType, () => Promise<unknown>> = {
  webhook: () => import('./webhook-handler/main.ts'),
  api: () => import('./api-rest/main.ts'),
  worker: () => import('./worker/main.ts'),
}

exitOnStartError('kodus')
loadCheckoutSettings()
await ROOMS[readComponentType()]()
