import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { COMPONENTS, type ComponentType } from '../../components.ts'
import type { Environment } from '../../lib/env.ts'
import { type ErrorReport, KodusError, messageOf } from '../../lib/errors.ts'
import { componentScript } from '../installation.ts'
import type { Check } from './check.ts'

const TIMEOUT_MS = 30_000

/** Has each component read the settings that it would be started with: what it refuses would keep it from starting. */
export const checkSettings: Check = async (env) => {
  const types = Object.keys(COMPONENTS) as ComponentType[]
  const refusals = await Promise.all(types.map((type) => refusalOf(type, env)))
  const found = refusals.filter((refusal) => refusal !== undefined)
  const [first] = found
  if (!first) return { state: 'ok', says: 'each component takes them' }
  const join = (part: 'message' | 'help') => [...new Set(found.map((refusal) => refusal[part]))].join(' ')
  throw new KodusError(first.code, join('message'), { help: join('help') })
}

/** A component's settings are its own to read: it is asked, as a process that does nothing else. */
async function refusalOf(type: ComponentType, env: Environment): Promise<ErrorReport | undefined> {
  const options = {
    // `npm start` brings a database where none is configured.
    env: { DATABASE_URL: 'postgresql://127.0.0.1/kodus', ...env, COMPONENT_TYPE: type },
    timeout: TIMEOUT_MS,
  }
  try {
    await promisify(execFile)(process.execPath, [componentScript, '--check-settings'], options)
    return undefined
  } catch (error) {
    const line = error instanceof Error && 'stdout' in error ? String(error.stdout).trim() : ''
    if (line.startsWith('{')) {
      const { code, msg, help } = JSON.parse(line)
      return { code, message: msg, help }
    }
    throw new KodusError('SETTINGS_UNCHECKED', `The ${type} cannot be asked: ${messageOf(error)}`, {
      help: 'Install again on this machine (`npm ci`).',
      cause: error,
    })
  }
}
