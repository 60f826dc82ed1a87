import { lookup } from 'node:dns/promises'
import { isIP, isIPv6 } from 'node:net'
import { KodusError } from '../errors.ts'
import { gitUnreachable } from './git-error.ts'
import { isRefused } from './refused-addresses.ts'
import type { RemoteUrl } from './remote.ts'

export interface HostPolicy {
  /** As `checkHosts` returned them. Any: these hosts are read, whatever their address, and no other is. */
  allowedHosts: readonly string[]
  /** As in the settings. A proxy may know names that this machine does not. */
  proxies: Readonly<Record<string, string>>
}

/** All addresses of a name. Rejects when it has none. */
export type ResolveName = (name: string) => Promise<string[]>

/**
 * Decides whether a remote's host may be talked to, before anything is sent there.
 *
 * @returns the addresses that were checked and that the connection should be held to; undefined where the
 *   name is trusted as it stands, is an address itself, or is for the proxy to resolve
 * @throws KodusError GIT_HOST_REFUSED; GIT_UNREACHABLE for a name nobody here knows; `signal.reason`
 */
export async function checkRemoteHost(
  remote: RemoteUrl,
  { allowedHosts, proxies }: HostPolicy,
  signal: AbortSignal,
  resolve: ResolveName = resolveAll,
): Promise<string[] | undefined> {
  const host = normalHost(remote.host)
  if (host === undefined) throw refused(remote.host)
  if (allowedHosts.length > 0) {
    if (allowedHosts.includes(host)) return undefined
    throw new KodusError('GIT_HOST_REFUSED', `${remote.host} is not among the hosts that may be read.`, {
      help: 'GIT_ALLOWED_HOSTS of the worker lists them. Add it there, if it is trusted.',
    })
  }
  if (/(?:^|\.)localhost$/.test(host) || isRefused(host)) throw refused(remote.host)
  if (isIP(host)) return undefined

  const addresses = await resolve(host).catch((error: unknown) => {
    if (hasProxy(remote, proxies)) return undefined
    throw gitUnreachable(error)
  })
  signal.throwIfAborted()
  if (addresses?.some(isRefused)) throw refused(remote.host)
  return addresses
}

/**
 * The hosts of an allowlist as they are compared: an address in any notation, a name in any case.
 *
 * @throws KodusError CONFIG_INVALID for anything but a plain host
 */
export function checkHosts(hosts: readonly string[]): string[] {
  return hosts.map((entry) => {
    const host = normalHost(isIPv6(entry) ? `[${entry}]` : entry)
    if (host !== undefined) return host
    throw new KodusError('CONFIG_INVALID', `${JSON.stringify(entry)} is no host that can be allowed.`, {
      help: 'Give a name or an address alone, without protocol, port or path: git.example.com.',
    })
  })
}

/** As connecting to it would read it: `0x7f.1` is 127.0.0.1. Undefined if it cannot be a host. */
function normalHost(host: string): string | undefined {
  if (!/^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])$/.test(host) || !URL.canParse(`http://${host}`))
    return undefined
  return new URL(`http://${host}`).hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
}

function hasProxy({ protocol }: RemoteUrl, proxies: HostPolicy['proxies']): boolean {
  if (protocol !== 'https' && protocol !== 'http') return false
  return Boolean(proxies[`${protocol}_proxy`] || proxies.all_proxy)
}

async function resolveAll(name: string): Promise<string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address)
}

/** The same words for an address and for a name: they do not tell what a name means inside this network. */
function refused(host: string): KodusError {
  return new KodusError(
    'GIT_HOST_REFUSED',
    `${host} is not read: it leads to the worker's own machine, or to an address next to it.`,
    { help: 'If a git server is meant to be there, list all trusted hosts in GIT_ALLOWED_HOSTS.' },
  )
}
