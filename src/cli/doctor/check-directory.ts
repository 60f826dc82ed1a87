import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { KodusError } from '../../lib/errors.ts'
import type { Check } from './check.ts'

export const checkDirectory: Check = async (_env, directory) => {
  const existing = existsSync(directory)
  try {
    accessSync(existing ? directory : dirname(directory), constants.W_OK)
  } catch {
    throw new KodusError('DIRECTORY_NOT_WRITABLE', `${directory} cannot be written.`, {
      help: 'Make it writable for this account, or set KODUS_DIRECTORY to a place that is.',
    })
  }
  const secrets = statSync(join(directory, 'env'), { throwIfNoEntry: false })
  if (secrets && (secrets.mode & 0o077) !== 0) {
    throw new KodusError('SECRETS_READABLE', `${join(directory, 'env')} can be read by other accounts.`, {
      help: `chmod 600 ${join(directory, 'env')}`,
    })
  }
  return { state: 'ok', says: existing ? directory : `${directory} (made on first start)` }
}
