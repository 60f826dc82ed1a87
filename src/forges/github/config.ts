import type { KeyObject } from 'node:crypto'
import { type Environment, integer, text, type Variables } from '../../lib/env.ts'
import { KodusError } from '../../lib/errors.ts'
import { readGitSettings } from '../../lib/git/config.ts'
import { readCa } from '../../lib/read-ca.ts'
import { checkAllowlist } from './allowlist.ts'
import { readPrivateKey } from './private-key.ts'

export const GITHUB_VARIABLES = {
  GITHUB_API_URL: {
    describe:
      "Where GitHub's API is. For GitHub Enterprise Server: `https://<host>/api/v3`. Must be https, except on this machine itself.",
    default: 'https://api.github.com',
  },
  GITHUB_APP_ID: {
    describe: "The GitHub App's id, a number. Set it or GITHUB_TOKEN. Unset both: no GitHub.",
  },
  GITHUB_APP_PRIVATE_KEY_FILE: { describe: "The .pem file with the App's private key." },
  GITHUB_APP_PRIVATE_KEY: {
    describe: "The App's private key itself, instead of a file: PEM, or the base64 of it.",
    secret: true,
  },
  GITHUB_TOKEN: { describe: 'A token to work with instead of an App.', secret: true },
  GITHUB_REPOSITORIES: {
    describe:
      'The only owners (`acme`) and repositories (`acme/api`) that are worked for, separated by commas. Unset: all that the App or the token reaches.',
  },
  GITHUB_OUTSIDE_CHANGES: {
    describe:
      'What becomes of changes by people who may not write to the repository, or from forks of theirs: `wait` for the command of somebody who may, `review`, or `ignore`.',
    default: 'wait',
  },
  GITHUB_POLL_SECONDS: {
    describe:
      'Seconds between two looks at the repositories in GITHUB_REPOSITORIES (each `owner/name`), where no webhook can reach this installation: 10 at least. Unset: webhooks tell, and those that failed are sent again.',
  },
  GITHUB_CA_FILE: {
    describe:
      'PEM file with the certificate authorities to trust for GitHub. Unset: GIT_SSL_CAINFO, else those of Node.',
  },
} as const satisfies Variables

export type GitHubCredentials =
  | { kind: 'app'; appId: number; privateKey: KeyObject }
  | { kind: 'token'; token: string }

/** Where GitHub is, and how it is reached. */
export interface GitHubAddress {
  /** Without a slash at its end. */
  apiUrl: string
  /** Where git and browsers find repositories: `<gitOrigin>/<owner>/<name>.git`. No slash at its end. */
  gitOrigin: string
  /** The only certificate authorities to trust: the file, for git, and its text. */
  caFile: string | undefined
  ca: string | undefined
  /** As in GitSettings: by the names curl knows. */
  proxies: Readonly<Record<string, string>>
}

export interface GitHubConfig extends GitHubAddress {
  credentials: GitHubCredentials
  /** Lower-case owners and repositories; none: all that the credentials reach. */
  repositories: readonly string[]
  outsideChanges: 'wait' | 'review' | 'ignore'
  /** How often to ask what happened. Undefined where webhooks tell it. */
  pollSeconds: number | undefined
}

/**
 * @returns undefined when neither an App nor a token is configured
 * @throws KodusError CONFIG_INVALID or CONFIG_MISSING naming the variable, GITHUB_KEY_UNREADABLE,
 *   GITHUB_KEY_INVALID, GITHUB_CA_UNREADABLE
 */
export function readGitHubConfig(env: Environment = process.env): GitHubConfig | undefined {
  const credentials = readCredentials(env)
  if (!credentials) return undefined
  const repositories = checkAllowlist(list(text(env, GITHUB_VARIABLES, 'GITHUB_REPOSITORIES')))
  return {
    ...readGitHubAddress(env),
    credentials,
    repositories,
    outsideChanges: readOutsideChanges(env),
    pollSeconds: readPollSeconds(env, repositories),
  }
}

/**
 * What there is to know of GitHub before there are credentials.
 *
 * @throws KodusError CONFIG_INVALID, GITHUB_CA_UNREADABLE
 */
export function readGitHubAddress(env: Environment = process.env): GitHubAddress {
  const { proxies, caFile: gitCaFile } = readGitSettings(env)
  const ownCaFile = text(env, GITHUB_VARIABLES, 'GITHUB_CA_FILE')
  const caFile = ownCaFile ?? gitCaFile
  return {
    ...readUrls(env),
    caFile,
    ca: caFile && readCa(caFile, ownCaFile ? 'GITHUB_CA_FILE' : 'GIT_SSL_CAINFO'),
    proxies,
  }
}

function readCredentials(env: Environment): GitHubCredentials | undefined {
  const appId = text(env, GITHUB_VARIABLES, 'GITHUB_APP_ID')
  const file = text(env, GITHUB_VARIABLES, 'GITHUB_APP_PRIVATE_KEY_FILE')
  const key = text(env, GITHUB_VARIABLES, 'GITHUB_APP_PRIVATE_KEY')
  const token = text(env, GITHUB_VARIABLES, 'GITHUB_TOKEN')
  const hasApp = appId !== undefined || file !== undefined || key !== undefined
  if (hasApp && token !== undefined) {
    throw invalid(
      'Both a GitHub App (GITHUB_APP_…) and GITHUB_TOKEN are set.',
      'Unset one of them: what is posted must come from one account.',
    )
  }
  if (token !== undefined) return { kind: 'token', token: checkToken(token) }
  if (!hasApp) return undefined

  if (appId === undefined) {
    throw missing('GITHUB_APP_ID', "Set it to the number on the GitHub App's page, next to its private key.")
  }
  if (!/^[1-9]\d{0,14}$/.test(appId)) {
    throw invalid(
      `GITHUB_APP_ID is ${JSON.stringify(appId)}, which is no App's id.`,
      "Set it to the number that the App's page calls App ID (not the Client ID).",
    )
  }
  if (file !== undefined && key !== undefined) {
    throw invalid(
      'Both GITHUB_APP_PRIVATE_KEY_FILE and GITHUB_APP_PRIVATE_KEY are set.',
      'Unset one of them.',
    )
  }
  const source = file !== undefined ? { file } : key !== undefined ? { text: key } : undefined
  if (!source) {
    throw missing(
      'GITHUB_APP_PRIVATE_KEY_FILE',
      "Let it name the .pem file with the App's private key, or set GITHUB_APP_PRIVATE_KEY.",
    )
  }
  return { kind: 'app', appId: Number(appId), privateKey: readPrivateKey(source) }
}

function checkToken(token: string): string {
  // It becomes a header: what cannot be in one would fail later, with a message that quotes it.
  if (/^[\x21-\x7e]+$/.test(token)) return token
  throw invalid('GITHUB_TOKEN has characters that no token has.', 'Set it to the token alone, on one line.')
}

function readUrls(env: Environment): Pick<GitHubAddress, 'apiUrl' | 'gitOrigin'> {
  const raw = text(env, GITHUB_VARIABLES, 'GITHUB_API_URL') ?? ''
  const url = URL.canParse(raw) ? new URL(raw) : undefined
  // Not quoted where it may hold a password.
  if (!url || url.username || url.password || url.search || url.hash) {
    throw invalid('GITHUB_API_URL is not the URL of an API.', HELP_API_URL)
  }
  const here = isLoopback(url.hostname)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && here)) {
    throw invalid(
      `GITHUB_API_URL is ${JSON.stringify(raw)}: everything that is sent there, tokens included, could be read on the way.`,
      'Use https. http is for an address of this machine alone (127.0.0.1, [::1], localhost).',
    )
  }
  const path = url.pathname.replace(/\/+$/, '')
  // GitHub in the cloud, `api.github.com` and `api.<company>.ghe.com`, has a host of its own for the API.
  const cloud = /^api\.(github\.com|[a-z0-9-]+\.ghe\.com)$/.exec(url.hostname)
  if (!cloud && !here && path === '') {
    throw invalid(`GITHUB_API_URL is ${JSON.stringify(raw)}, which is not where an API is.`, HELP_API_URL)
  }
  return { apiUrl: `${url.origin}${path}`, gitOrigin: cloud ? `https://${cloud[1]}` : url.origin }
}

const HELP_API_URL =
  'Unset it for github.com. For GitHub Enterprise Server, set it to https://<host>/api/v3; for a company on ghe.com, to https://api.<company>.ghe.com.'

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname)
}

function readOutsideChanges(env: Environment): GitHubConfig['outsideChanges'] {
  const value = text(env, GITHUB_VARIABLES, 'GITHUB_OUTSIDE_CHANGES')
  if (value === 'wait' || value === 'review' || value === 'ignore') return value
  throw invalid(
    `GITHUB_OUTSIDE_CHANGES is ${JSON.stringify(value)}, which cannot be used.`,
    'Set it to wait, review or ignore.',
  )
}

function readPollSeconds(env: Environment, repositories: readonly string[]): number | undefined {
  if (text(env, GITHUB_VARIABLES, 'GITHUB_POLL_SECONDS') === undefined) return undefined
  if (repositories.length === 0 || repositories.some((entry) => !entry.includes('/'))) {
    throw invalid(
      'GITHUB_POLL_SECONDS is set, and GITHUB_REPOSITORIES does not name each repository to ask about.',
      'Set GITHUB_REPOSITORIES to owner/name,owner/other; or unset GITHUB_POLL_SECONDS and let webhooks tell.',
    )
  }
  return integer(env, GITHUB_VARIABLES, 'GITHUB_POLL_SECONDS', { min: 10, max: 86_400 })
}

function list(value: string | undefined): string[] {
  return (value ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

function missing(name: string, help: string): KodusError {
  return new KodusError('CONFIG_MISSING', `${name} is not set.`, { help })
}

function invalid(message: string, help: string): KodusError {
  return new KodusError('CONFIG_INVALID', message, { help })
}
