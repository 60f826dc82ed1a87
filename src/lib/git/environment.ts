import type { RemoteUrl } from './remote.ts'
import type { GitCredential, GitSettings } from './settings.ts'

/** The remote a command may talk to. A command without one can talk to none. */
export interface RemoteAccess {
  remote: RemoteUrl
  credential?: GitCredential
  /** What `checkRemoteHost` found behind the name, so that it cannot mean something else a moment later. */
  addresses?: readonly string[]
  /** A PEM bundle to trust there, instead of what the settings name. */
  caFile?: string
}

/**
 * Given on the command line, where it beats every file, and inherited by what git itself starts. Keys a
 * git does not know yet are ignored by it.
 */
const CONFIG: Readonly<Record<string, string>> = {
  // Nothing that a repository, a server or a user's own setup names is ever run.
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'core.attributesFile': '/dev/null',
  'core.askPass': '',
  'core.alternateRefsCommand': 'true',
  'credential.helper': '',
  'diff.external': '',

  'protocol.allow': 'never',
  'protocol.version': '2',
  // A redirect would leave the allowlist, and can reach hosts that only this machine sees.
  'http.followRedirects': 'false',
  'http.lowSpeedLimit': '1000',
  'http.lowSpeedTime': '60',
  'http.sslVerify': 'true',
  'transfer.bundleURI': 'false',
  'transfer.credentialsInUrl': 'die',

  'submodule.recurse': 'false',
  'fetch.recurseSubmodules': 'false',
  'core.symlinks': 'false',
  'core.protectHFS': 'true',
  'core.protectNTFS': 'true',
  // Trees are never written to disk, so nothing that fsck looks for can hurt, and many honest old
  // histories fail it. `parse-raw.ts` refuses the paths that could hurt those who come after.
  'fetch.fsckObjects': 'false',
  // One pack by index-pack, which streams; small packs would be unpacked in memory, object by object.
  'fetch.unpackLimit': '1',
  'fetch.writeCommitGraph': 'false',
  'gc.auto': '0',
  'maintenance.auto': 'false',
  'pack.threads': '1',
  // Both may come with a borrowed object directory, and may lie about what the objects say.
  'core.commitGraph': 'false',
  'core.multiPackIndex': 'false',
  'core.packedGitWindowSize': '32m',
  'core.packedGitLimit': '256m',

  'core.quotePath': 'true',
  'color.ui': 'false',
  'diff.suppressBlankEmpty': 'false',
  'advice.graftFileDeprecated': 'false',
  'init.defaultBranch': 'none',
  'init.templateDir': '',
}

const SSH = [
  'ssh -oBatchMode=yes -oStrictHostKeyChecking=yes -oConnectTimeout=20 -oControlMaster=no -oControlPath=none',
  '-oPermitLocalCommand=no -oForwardAgent=no -oForwardX11=no -oClearAllForwardings=yes',
].join(' ')

/** Names the variables it reads, never their values: it stands in argv. `printf` is built into every sh. */
const CREDENTIAL_HELPER =
  '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$KODUS_GIT_USERNAME" "$KODUS_GIT_TOKEN"; }; f'

/** The `-c` options of a command. They hold no secret. */
export function configArguments(settings: GitSettings, access?: RemoteAccess): string[] {
  const config: [string, string][] = [
    ...Object.entries(CONFIG),
    ['core.bigFileThreshold', String(settings.limits.textBytes)],
  ]
  if (access?.credential) config.push([`credential.${access.credential.origin}.helper`, CREDENTIAL_HELPER])
  if (access?.addresses) config.push(['http.curloptResolve', pinned(access.remote, access.addresses)])
  return config.flatMap(([key, value]) => ['-c', `${key}=${value}`])
}

/** In curl's words. Git knows them since 2.37; an older one, and ssh and git:, ask for the name again. */
function pinned({ protocol, host, port }: RemoteUrl, addresses: readonly string[]): string {
  const list = addresses.map((address) => (address.includes(':') ? `[${address}]` : address))
  return `${host}:${port ?? (protocol === 'http' ? 80 : 443)}:${list.join(',')}`
}

/** The whole environment of a command: nothing is inherited. `home` is an empty directory of ours. */
export function environment(
  settings: GitSettings,
  { home, gitDir, access }: { home: string; gitDir?: string; access?: RemoteAccess },
): Record<string, string> {
  const caFile = access?.caFile ?? settings.caFile
  return {
    PATH: settings.searchPath,
    HOME: home,
    XDG_CONFIG_HOME: home,
    TMPDIR: home,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    // Empty means nobody is asked; unset would mean SSH_ASKPASS.
    GIT_ASKPASS: '',
    SSH_ASKPASS_REQUIRE: 'never',
    GIT_SSH_COMMAND: SSH,
    GIT_SSH_VARIANT: 'ssh',
    GIT_PROTOCOL_FROM_USER: '0',
    // It beats every `protocol.*` setting, a repository's own included. No transport is called "none".
    GIT_ALLOW_PROTOCOL: access?.remote.protocol ?? 'none',
    GIT_NO_LAZY_FETCH: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_GRAFT_FILE: '/dev/null',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_ALLOC_LIMIT: String(settings.limits.allocationBytes),
    // With a directory named, git looks for none: no parent directory and no owner decides what is read.
    ...(gitDir ? { GIT_DIR: gitDir } : {}),
    ...(access ? settings.proxies : {}),
    ...(access && caFile ? { GIT_SSL_CAINFO: caFile } : {}),
    ...(access?.credential
      ? {
          KODUS_GIT_USERNAME: access.credential.username ?? 'x-access-token',
          KODUS_GIT_TOKEN: access.credential.token,
        }
      : {}),
  }
}
