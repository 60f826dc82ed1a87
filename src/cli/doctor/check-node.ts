import { KodusError } from '../../lib/errors.ts'
import { runsFromCheckout } from '../installation.ts'
import type { Check } from './check.ts'

/** Running TypeScript as it stands needs this; the bundled package runs on 20. */
const NEEDED = runsFromCheckout ? 24 : 20

export const checkNode: Check = async () => {
  const major = Number(process.versions.node.split('.')[0])
  if (major >= NEEDED) return { state: 'ok', says: `${process.version} (${process.execPath})` }
  throw new KodusError('NODE_TOO_OLD', `This is Node ${process.version}; ${NEEDED} or newer is needed.`, {
    help: 'Start commands with `npm run …`: the checkout brings its own Node.',
  })
}
