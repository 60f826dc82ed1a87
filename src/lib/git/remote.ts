import { fileURLToPath } from 'node:url'
import { KodusError } from '../errors.ts'

const REMOTE_PROTOCOLS = ['https', 'http', 'ssh', 'git'] as const

export type RemoteProtocol = (typeof REMOTE_PROTOCOLS)[number]

export interface RemoteUrl {
  protocol: RemoteProtocol
  url: string
  /** As the URL writes it. Who may connect there is for `remote-host.ts` to say. */
  host: string
  /** Undefined: the protocol's own. */
  port: number | undefined
  /** `https://git.example.com:8443`: what a credential is compared with. */
  origin: string
}

/** Where a repository is: at a URL, or at an absolute path that is yet to be checked against the roots. */
export type RepositoryLocation = { at: 'url'; remote: RemoteUrl } | { at: 'path'; path: string }

const MAX_LENGTH = 2000
const HOST = String.raw`[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]`
const URL_SHAPE = new RegExp(
  String.raw`^(?<protocol>[a-z]+)://(?:(?<user>[A-Za-z0-9_][A-Za-z0-9._-]*)@)?(?<host>${HOST})(?<port>:\d{1,5})?(?<path>/[A-Za-z0-9._~/%+@=,!$&'()*;:-]+)$`,
)

/**
 * Says where a repository is, reading its name strictly: a list of what is allowed, and anything that git,
 * curl and ssh might read differently from us is none of it. `ext::`, `fd::` and other helpers, host names
 * that are options, credentials, and escaped control characters are refused.
 *
 * @param allowed protocols besides https, which always is
 * @throws KodusError GIT_URL_REFUSED, GIT_PROTOCOL_REFUSED
 */
export function locateRepository(repository: string, allowed: readonly string[]): RepositoryLocation {
  if (repository.length > MAX_LENGTH || /\p{Cc}|\p{Cs}/u.test(repository)) {
    throw refused(repository, 'it is too long or has control characters in it')
  }
  if (repository.startsWith('/')) return { at: 'path', path: repository }
  if (repository.startsWith('file:')) return { at: 'path', path: pathOf(repository) }

  const { protocol, user, host, port = '', path = '' } = URL_SHAPE.exec(repository)?.groups ?? {}
  if (!protocol || !host) {
    throw refused(repository, 'it is neither an absolute path nor a plain URL')
  }
  if (!isRemoteProtocol(protocol) || (protocol !== 'https' && !allowed.includes(protocol))) {
    throw new KodusError('GIT_PROTOCOL_REFUSED', `Repositories may not be read by ${protocol}.`, {
      help: `Allowed here: ${['https', ...allowed.filter((name) => name !== 'https')].join(', ')}.`,
    })
  }
  if (user && protocol !== 'ssh') throw refused(repository, 'it has credentials in it')
  if (/%(?![2-7][0-9a-f])|%7f|%2f|%5c/i.test(path) || /(?:^|\/)\.{1,2}(?:\/|$)/.test(path)) {
    throw refused(repository, 'its path is not plain')
  }
  return {
    at: 'url',
    remote: {
      protocol,
      url: repository,
      host,
      port: port === '' ? undefined : Number(port.slice(1)),
      origin: `${protocol}://${host.toLowerCase()}${port}`,
    },
  }
}

/** @throws KodusError CONFIG_INVALID for a protocol that can never be allowed, `ext` for one */
export function checkProtocols(protocols: readonly string[]): readonly RemoteProtocol[] {
  return protocols.map((protocol) => {
    if (isRemoteProtocol(protocol)) return protocol
    throw new KodusError(
      'CONFIG_INVALID',
      `${JSON.stringify(protocol)} is no protocol that can be allowed.`,
      {
        help: `Choose from ${REMOTE_PROTOCOLS.join(', ')}. Paths are allowed by naming their roots.`,
      },
    )
  })
}

function isRemoteProtocol(name: string): name is RemoteProtocol {
  return (REMOTE_PROTOCOLS as readonly string[]).includes(name)
}

function pathOf(fileUrl: string): string {
  if (!/^file:\/\/\/[^?#\\]*$/.test(fileUrl)) throw refused(fileUrl, 'it is no file:///path')
  try {
    const path = fileURLToPath(fileUrl)
    if (!/\p{Cc}/u.test(path)) return path
  } catch {
    // Refused below, like any other escape we do not take.
  }
  throw refused(fileUrl, 'its path is not plain')
}

function refused(repository: string, why: string): KodusError {
  const shown = JSON.stringify(repository.slice(0, 200).replace(/:\/\/[^/]*@/, '://[secret]@'))
  return new KodusError('GIT_URL_REFUSED', `${shown} is not read: ${why}.`, {
    help: 'Use https://host/path, another configured protocol, or a path under a configured root.',
  })
}
