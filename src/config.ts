import { fileURLToPath } from 'node:url'
import { COMPONENTS, type ComponentType } from './components.ts'
import { loadSettings } from './lib/config.ts'
import { type Environment, text, type Variables } from './lib/env.ts'
import { KodusError } from './lib/errors.ts'

export const variables = {
  COMPONENT_TYPE: { describe: 'Which component `npm run component` runs: `webhook`, `api` or `worker`.' },
} as const satisfies Variables

/** `npm run component` joins the stack that runs in the checkout, and reads its `.env` and the settings of `kodus setup github`. */
export function loadCheckoutSettings(): void {
  if (process.env.npm_lifecycle_event !== 'component') return
  const root = new URL('../', import.meta.url)
  loadSettings(['.kodus/env', '.env', '.kodus/github.env'].map((name) => fileURLToPath(new URL(name, root))))
}

/** @throws KodusError CONFIG_MISSING or CONFIG_INVALID */
export function readComponentType(env: Environment = process.env): ComponentType {
  const value = text(env, variables, 'COMPONENT_TYPE')
  if (value !== undefined && Object.hasOwn(COMPONENTS, value)) return value as ComponentType
  const [code, message] = value
    ? ['CONFIG_INVALID', `COMPONENT_TYPE is ${JSON.stringify(value)}, which is no component.`]
    : ['CONFIG_MISSING', 'COMPONENT_TYPE is not set.']
  throw new KodusError(code, message, { help: 'Set COMPONENT_TYPE to webhook, api or worker.' })
}
