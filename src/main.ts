import type { ComponentType } from './components.ts'
import { loadCheckoutSettings, readComponentType } from './config.ts'
import { exitOnStartError } from './lib/start-error.ts'

/** The composition root of each component, loaded alone: a process holds only what its component needs. */
const ROOMS: Record<ComponentType, () => Promise<unknown>> = {
  webhook: () => import('./webhook-handler/main.ts'),
  api: () => import('./api-rest/main.ts'),
  worker: () => import('./worker/main.ts'),
}

/** Their settings alone. */
const SETTINGS: Record<ComponentType, () => Promise<{ readConfig(): unknown }>> = {
  webhook: () => import('./webhook-handler/config.ts'),
  api: () => import('./api-rest/config.ts'),
  worker: () => import('./worker/config.ts'),
}

exitOnStartError('kodus')
loadCheckoutSettings()
const type = readComponentType()
// `kodus doctor` asks so: the command line may not read what is a component's own.
if (process.argv.includes('--check-settings')) (await SETTINGS[type]()).readConfig()
else await ROOMS[type]()
