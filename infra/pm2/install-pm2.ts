import { fileURLToPath } from 'node:url'
import { installOnce } from '../../scripts/install-once.ts'

const DIRECTORY = fileURLToPath(new URL('.', import.meta.url))

/**
 * Installs PM2 beside this file, once.
 *
 * @returns the script to run it by
 * @throws Error when npm cannot
 */
export function installPm2(): string {
  installOnce(DIRECTORY, 'PM2')
  return `${DIRECTORY}node_modules/pm2/bin/pm2`
}
