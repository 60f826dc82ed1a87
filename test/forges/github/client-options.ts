import { generateKeyPairSync } from 'node:crypto'
import { createGitHubClient, type GitHubClient } from '../../../src/forges/github/client.ts'
import { readGitHubConfig } from '../../../src/forges/github/config.ts'
import type { TransportLimits } from '../../../src/forges/github/dispatcher.ts'
import { type Log, silentLog } from '../../../src/lib/log.ts'

export const TOKEN = 'ghp_0123456789abcdefghijABCDEFGHIJ456789'

const keys = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
})
export const PUBLIC_KEY = keys.publicKey
export const PRIVATE_KEY = keys.privateKey

interface Options {
  env?: Record<string, string>
  limits?: Partial<TransportLimits>
  log?: Log
}

/** A client configured by the environment, as in a worker, with a token. */
export function tokenClient(apiUrl: string, { env, limits, log = silentLog }: Options = {}): GitHubClient {
  return clientOf({ GITHUB_API_URL: apiUrl, GITHUB_TOKEN: TOKEN, ...env }, { log, limits })
}

/** The same as App 7. */
export function appClient(apiUrl: string, { env, limits, log = silentLog }: Options = {}): GitHubClient {
  const app = { GITHUB_APP_ID: '7', GITHUB_APP_PRIVATE_KEY: PRIVATE_KEY }
  return clientOf({ GITHUB_API_URL: apiUrl, ...app, ...env }, { log, limits })
}

function clientOf(
  env: Record<string, string>,
  options: { log: Log; limits: Options['limits'] },
): GitHubClient {
  const config = readGitHubConfig(env)
  if (!config) throw new Error('no credentials')
  return createGitHubClient(config, options)
}
