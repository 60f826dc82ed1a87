import { type Environment, text, type Variables } from '../env.ts'
import { DEFAULT_LIMITS, type GitSettings } from './settings.ts'

export const GIT_VARIABLES = {
  PATH: { describe: 'Where `git` and `ssh` are found.', default: '/usr/local/bin:/usr/bin:/bin' },
  HTTPS_PROXY: { describe: 'Proxy for reading repositories by https.' },
  HTTP_PROXY: { describe: 'Proxy for reading repositories by http.' },
  ALL_PROXY: { describe: 'Proxy for reading repositories by any protocol curl speaks.' },
  NO_PROXY: { describe: 'Hosts that are reached without a proxy, separated by commas.' },
  GIT_SSL_CAINFO: { describe: 'PEM file with the certificate authorities to trust for git over https.' },
} as const satisfies Variables

const PROXIES = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY', 'NO_PROXY'] as const

/** The little of the process's environment that git is given. */
export function readGitSettings(env: Environment = process.env): GitSettings {
  const proxies: Record<string, string> = {}
  for (const name of PROXIES) {
    // curl reads the lower-case name first, and for http only that one.
    const value = env[name.toLowerCase()] || text(env, GIT_VARIABLES, name)
    if (value) proxies[name.toLowerCase()] = value
  }
  return {
    searchPath: text(env, GIT_VARIABLES, 'PATH') ?? '',
    proxies,
    caFile: text(env, GIT_VARIABLES, 'GIT_SSL_CAINFO'),
    limits: DEFAULT_LIMITS,
  }
}
