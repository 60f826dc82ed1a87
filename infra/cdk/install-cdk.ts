import { fileURLToPath } from 'node:url'
import { installOnce } from '../../scripts/install-once.ts'

const DIRECTORY = fileURLToPath(new URL('.', import.meta.url))

/**
 * Installs the AWS CDK beside this file, once.
 *
 * @returns the script of its command line
 * @throws Error when npm cannot
 */
export function installCdk(): string {
  installOnce(DIRECTORY, 'the AWS CDK')
  return `${DIRECTORY}node_modules/aws-cdk/bin/cdk`
}
