import { type Dispatcher, EnvHttpProxyAgent } from 'undici'
import { KodusError } from '../../lib/errors.ts'
import type { GitHubAddress } from './config.ts'

/** What one request may use up. Times in milliseconds. */
export interface TransportLimits {
  connectMs: number
  /** Until the headers are there, and between any two pieces of a body. */
  silenceMs: number
  /** A whole answer, however steadily it drips. */
  answerMs: number
  /** GitHub's largest answers are diffs, which it ends at 20,000 lines, and pages of 100 patches. */
  answerBytes: number
  /** A wait for the rate limit that is sat out; a longer one is the job's to wait. */
  patienceMs: number
}

export const DEFAULT_TRANSPORT_LIMITS: TransportLimits = {
  connectMs: 10_000,
  silenceMs: 30_000,
  answerMs: 120_000,
  answerBytes: 50 * 1024 ** 2,
  patienceMs: 10_000,
}

/**
 * Connections to the API, by way of the proxy and with the authorities of the configuration alone.
 *
 * @throws KodusError CONFIG_INVALID for a proxy that cannot be one
 */
export function createDispatcher(
  { apiUrl, proxies, ca }: Pick<GitHubAddress, 'apiUrl' | 'proxies' | 'ca'>,
  { connectMs, silenceMs }: TransportLimits = DEFAULT_TRANSPORT_LIMITS,
): Dispatcher {
  const tls = { timeout: connectMs, ...(ca ? { ca } : {}) }
  const { https_proxy, http_proxy, all_proxy } = proxies
  const proxy = proxyUrl((apiUrl.startsWith('https:') ? https_proxy : http_proxy) ?? all_proxy)
  return new EnvHttpProxyAgent({
    // Empty, not absent: it would read the process's environment.
    httpsProxy: proxy,
    httpProxy: proxy,
    noProxy: proxies.no_proxy ?? '',
    connect: tls,
    requestTls: tls,
    proxyTls: tls,
    headersTimeout: silenceMs,
    bodyTimeout: silenceMs,
  })
}

/** A proxy as git's curl takes it: `proxy:3128` means http. */
function proxyUrl(proxy: string | undefined): string {
  if (!proxy) return ''
  const url = (proxy.includes('://') ? proxy : `http://${proxy}`).replace(/^socks5h:/i, 'socks5:')
  if (URL.canParse(url) && /^(https?|socks5):\/\//i.test(url)) return url
  // Not quoted: it may hold a password.
  throw new KodusError('CONFIG_INVALID', 'The proxy for GitHub is not a URL of http, https or socks5.', {
    help: 'Correct HTTPS_PROXY (or ALL_PROXY): http://proxy.example.com:3128. NO_PROXY names the hosts that need none.',
  })
}
