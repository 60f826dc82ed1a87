import { homedir } from 'node:os'
import { join } from 'node:path'
import { type Environment, integer, text, type Variables } from '../../lib/env.ts'
import type { AwsService } from './aws-services.ts'

/** AWS's own variables, which all its tools read. Credentials and region are read by its library. */
const VARIABLES = {
  AWS_ENDPOINT_URL: { describe: 'Where AWS is, if not where it is for everybody.' },
  AWS_ENDPOINT_URL_ECS: { describe: 'The same for ECS alone.' },
  AWS_ENDPOINT_URL_SSM: { describe: 'The same for Systems Manager alone.' },
  AWS_ENDPOINT_URL_ECR: { describe: 'The same for ECR alone.' },
  AWS_MAX_ATTEMPTS: {
    describe: 'How often a call is made that is throttled or not answered.',
    default: '8',
  },
  DOCKER_CONFIG: { describe: "The directory of docker's settings. Default: `~/.docker`." },
} as const satisfies Variables

export interface AwsConfig {
  /** Undefined: its public address. */
  endpointOf(service: AwsService): string | undefined
  maxAttempts: number
}

/** @throws KodusError CONFIG_INVALID */
export function readAwsConfig(env: Environment = process.env): AwsConfig {
  const endpointOf = (service: AwsService) =>
    text(env, VARIABLES, `AWS_ENDPOINT_URL_${uppercase(service)}`) ?? text(env, VARIABLES, 'AWS_ENDPOINT_URL')
  return { endpointOf, maxAttempts: integer(env, VARIABLES, 'AWS_MAX_ATTEMPTS', { min: 1, max: 100 }) }
}

/** Where docker keeps which engine it talks to. */
export function readDockerDirectory(env: Environment = process.env): string {
  return text(env, VARIABLES, 'DOCKER_CONFIG') ?? join(homedir(), '.docker')
}

function uppercase(service: AwsService) {
  return service.toUpperCase() as Uppercase<AwsService>
}
