import { KodusError, type Retryability } from '../errors.ts'
import type { RemoteAccess } from './environment.ts'
import type { GitCredential } from './settings.ts'

interface Cause {
  /** What git, curl, ssh or the kernel says, in the C locale. */
  says: RegExp
  code: string
  what: string
  help: string
  retryability?: Retryability
}

const UNREACHABLE = {
  code: 'GIT_UNREACHABLE',
  what: 'The server could not be reached, or broke off.',
  help: "Check the address, the network, the proxy and the server: the worker's log has the reason. It is tried again by itself.",
  retryability: 'transient',
} as const satisfies Omit<Cause, 'says'>

const DISK_FULL = {
  code: 'GIT_TOO_LARGE',
  what: 'There is no room left on the disk to read the repository.',
  help: 'Make room where temporary files and the mirrors of repositories are kept. It is tried again by itself.',
  retryability: 'transient',
} as const satisfies Omit<Cause, 'says'>

/** First match wins: what is certain stands before "the remote end hung up", which follows many causes. */
const CAUSES: readonly Cause[] = [
  {
    ...DISK_FULL,
    says: /No space left on device|Disk quota exceeded/i,
  },
  {
    says: /File too large|over limit|Out of memory|malloc failed|mmap failed/i,
    code: 'GIT_TOO_LARGE',
    what: 'The repository is larger than this installation reads.',
    help: 'Raise the git limits, or review a smaller repository.',
  },
  {
    says: /killed by SIG|died of signal|invalid index-pack output/,
    code: 'GIT_KILLED',
    what: 'Something ended git, or a process of it.',
    help: 'Memory running out is the usual reason: see the system log. It is tried again by itself.',
    retryability: 'transient',
  },
  {
    says: /transport '[^']*' not allowed/,
    code: 'GIT_PROTOCOL_REFUSED',
    what: 'The repository wants to be read by a protocol that is not allowed.',
    help: 'Allow the protocol in the configuration, if it is one this product can allow.',
  },
  {
    says: /unable to update url base from redirection|returned error: 30\d|^remote: .*redirect/im,
    code: 'GIT_REDIRECTED',
    what: 'The server sends us to another address, and redirects are not followed.',
    help: "Use the repository's present address.",
  },
  {
    says: /Host key verification failed/i,
    code: 'GIT_HOST_UNKNOWN',
    what: 'The ssh host is not known to this machine, or its key has changed.',
    help: "Add the host's key to known_hosts of the account the worker runs as.",
  },
  {
    says: /Authentication failed|could not read (Username|Password)|Permission denied|returned error: 40[13]/i,
    code: 'GIT_ACCESS_DENIED',
    what: 'The server does not let us read the repository.',
    help: 'Check the token or key, and that it may read this repository.',
  },
  {
    says: /couldn't find remote ref|not our ref|unadvertised object|no such remote ref/i,
    code: 'GIT_REF_NOT_FOUND',
    what: 'The repository has no such commit, branch or tag (any more).',
    help: 'Check the address, base and head; after a force-push the old head may be gone.',
  },
  {
    says: /returned error: (404|410)|repository .*not found|not appear to be a git repository|not a git repository|not valid: is this a git repository|dumb http transport/i,
    code: 'GIT_NOT_FOUND',
    what: 'There is no git repository at this address.',
    help: 'Check the address. Over http the server must speak the smart protocol.',
  },
  {
    says: /unable to read|bad object|missing (blob|tree|commit)|Could not read|promisor|unable to parse|not a valid object|inflate|corrupt|loose object .*empty|packfile \S+\.pack /i,
    code: 'GIT_OBJECT_UNREADABLE',
    what: 'An object of the repository is missing or broken.',
    help: 'Run git fsck there. A partial clone must be completed first (git fetch --refetch --no-filter).',
  },
  {
    ...UNREACHABLE,
    says: /resolve host|connect to|couldn't connect|Connection (refused|reset|timed out|closed)|timed out|too slow|unreachable|No route to host|early EOF|unexpected disconnect|hung up|RPC failed|Empty reply|SSL|TLS|certificate verification failed|returned error: (429|5\d\d)|Received HTTP code|proxy/i,
  },
]

/**
 * A git command that failed, by what it said.
 *
 * @param access of a command that talked to a remote. What it said may be the peer's own words (a
 *   certificate, a banner, an error page), and a job's error is shown to people who may not reach that
 *   peer: so they are the error's `cause`, for the log alone.
 */
export function gitFailure(command: string, stderr: string, access?: RemoteAccess): KodusError {
  const said = presentable(stderr, access?.credential)
  const cause = CAUSES.find(({ says }) => says.test(stderr))
  if (access) {
    const what = cause?.what ?? `git ${command} failed.`
    return new KodusError(cause?.code ?? 'GIT_FAILED', what, {
      help: cause?.help ?? "What git said is in the worker's log. Try the same with git on that machine.",
      retryability: cause?.retryability,
      cause: new Error(said || 'git gave no reason'),
    })
  }
  if (!cause) {
    return new KodusError('GIT_FAILED', `git ${command} failed: ${said || 'it gave no reason'}`, {
      help: "The message is git's own. Try the same with git on this machine.",
    })
  }
  return new KodusError(cause.code, `${cause.what} git ${command}: ${said}`, {
    help: cause.help,
    retryability: cause.retryability,
  })
}

/** Nobody to talk to. Why, only the log says: the same words for every reason tell nothing about a network. */
export function gitUnreachable(cause: unknown): KodusError {
  const { code, what, help, retryability } = UNREACHABLE
  return new KodusError(code, what, { help, retryability, cause })
}

/** What the file system said to us, as git would have had it said to it. Anything else stays as it is. */
export function orDiskFull(error: unknown): unknown {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error
  const { what, help, retryability } = DISK_FULL
  return new KodusError(DISK_FULL.code, what, { help, retryability, cause: error })
}

export function gitTimedOut(command: string, ms: number, retryability: Retryability): KodusError {
  return new KodusError('GIT_TIMEOUT', `git ${command} was stopped after ${ms} ms.`, {
    help: 'The server does not answer, or the repository is too large for the time limit.',
    retryability,
  })
}

export function gitPrintedTooMuch(command: string, bytes: number): KodusError {
  return new KodusError('GIT_TOO_LARGE', `git ${command} printed more than ${bytes} bytes.`, {
    help: 'The change is larger than this installation reads. Split it, or raise the git limits.',
  })
}

/** Output of git that this code does not understand. Guessing could attribute one file's lines to another. */
export function gitUnexpected(what: string): KodusError {
  return new KodusError('GIT_UNEXPECTED_OUTPUT', `git printed something unexpected: ${what}`, {
    help: 'This is a defect: please report it with the output of git --version.',
  })
}

const MAX_STDERR_CHARS = 400

/** Short, one line, without control characters (a server's words are in it) and without secrets. */
function presentable(stderr: string, credential?: GitCredential): string {
  let text = stderr
  if (credential) {
    const pair = `${credential.username ?? 'x-access-token'}:${credential.token}`
    for (const secret of [
      Buffer.from(pair).toString('base64'),
      encodeURIComponent(credential.token),
      credential.token,
    ]) {
      text = text.replaceAll(secret, '[secret]')
    }
  }
  text = text
    .replace(/:\/\/[^/@\s]+@/g, '://[secret]@')
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
  // By code point: half a surrogate pair is no text, and no database stores it.
  const characters = [...text]
  return characters.length > MAX_STDERR_CHARS ? `${characters.slice(0, MAX_STDERR_CHARS).join('')} …` : text
}
