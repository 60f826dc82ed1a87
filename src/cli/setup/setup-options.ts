import { checkAllowlist } from '../../forges/github/allowlist.ts'
import { isOwner } from '../../forges/github/repository-name.ts'
import { KodusError } from '../../lib/errors.ts'
import { NO_PUBLIC_ADDRESS } from './reachability.ts'

/** What `kodus setup github` was told on its command line. */
export interface GitHubSetupOptions {
  token?: boolean
  organisation?: string
  name: string
  webhookUrl?: string
  poll?: boolean
  resolveThreads?: boolean
  allow: string[]
  outside: 'wait' | 'review' | 'ignore'
  port: number
  force?: boolean
}

/** GitHub's limit for the name of an App. */
const MAX_NAME = 34

/**
 * Sees that what was said is enough, and means something.
 *
 * @throws KodusError SETUP_INCOMPLETE, SETUP_UNREACHABLE, CONFIG_INVALID
 */
export function checkOptions(options: GitHubSetupOptions, apiUrl: string): void {
  const { webhookUrl, poll, token, allow, name, organisation } = options
  if (!webhookUrl === !poll) {
    const what = webhookUrl
      ? 'Webhooks or polling: both were asked for.'
      : 'It was not said how GitHub is to reach this installation.'
    throw incomplete(what, NO_PUBLIC_ADDRESS)
  }
  if (webhookUrl) checkWebhookUrl(webhookUrl, apiUrl)
  checkAllowlist(allow, '--allow')
  const owners = allow.filter((entry) => !entry.includes('/'))
  if (poll && (allow.length === 0 || owners.length > 0)) {
    throw incomplete(
      owners.length > 0
        ? `${owners.join(', ')} is no repository: each one that is polled has to be named.`
        : 'Polling needs to know which repositories to ask about.',
      'Add --allow owner/name,owner/other.',
    )
  }
  if (token && allow.length === owners.length) {
    throw incomplete(
      'With a token, the repositories have to be listed.',
      'Add --allow owner/name,owner/other: a token often reaches more than its owner means to have reviewed.',
    )
  }
  if (name.length > MAX_NAME) {
    throw incomplete(
      `The App's name has more than ${MAX_NAME} characters.`,
      'Choose a shorter one with --name.',
    )
  }
  if (organisation !== undefined && !isOwner(organisation)) {
    throw incomplete(
      `${JSON.stringify(organisation)} is no organisation's name.`,
      'Give the last part of its address: acme of https://github.com/acme.',
    )
  }
}

function checkWebhookUrl(webhookUrl: string, apiUrl: string): void {
  const url = URL.canParse(webhookUrl) ? new URL(webhookUrl) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || !/\/webhooks\/github\/?$/.test(url.pathname)) {
    throw incomplete(
      'The webhook address does not lead to /webhooks/github of the webhook handler.',
      'Give it whole: https://reviews.example.com/webhooks/github',
    )
  }
  if (isThisMachine(url.hostname) && !isThisMachine(new URL(apiUrl).hostname)) {
    throw new KodusError(
      'SETUP_UNREACHABLE',
      `GitHub cannot reach ${url.host}: it means each machine itself.`,
      {
        help: NO_PUBLIC_ADDRESS,
      },
    )
  }
}

function isThisMachine(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname)
}

function incomplete(message: string, help: string): KodusError {
  return new KodusError('SETUP_INCOMPLETE', message, { help })
}
