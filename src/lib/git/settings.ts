/** What one git command may use up. Past a limit it is killed, with everything it started. */
export interface GitLimits {
  /** Wall time of a command that talks to a remote, milliseconds. */
  networkMs: number
  /** Wall time of a command that does not, milliseconds. */
  localMs: number
  /** Largest file git may write: in effect the size of one fetched pack. Kept to 512 bytes. */
  fileBytes: number
  /** Most that a command may print: in effect the size of a diff. */
  outputBytes: number
  /** Largest single allocation, so that a small object cannot unpack into all of memory. */
  allocationBytes: number
  /** Larger files are binary to git: never compared line by line, and streamed rather than loaded. */
  textBytes: number
}

export const DEFAULT_LIMITS: GitLimits = {
  networkMs: 5 * 60_000,
  localMs: 60_000,
  fileBytes: 1024 ** 3,
  outputBytes: 32 * 1024 ** 2,
  // git stores files up to 512 MiB as deltas (core.bigFileThreshold's default): those must still unpack.
  allocationBytes: 544 * 1024 ** 2,
  textBytes: 1024 ** 2,
}

/** How the machine is set up, as far as git must know: nothing else of the process's environment reaches it. */
export interface GitSettings {
  /** Where `git` and `ssh` are looked for, as in PATH. */
  searchPath: string
  /** Proxies by the names curl knows: `https_proxy`, `http_proxy`, `all_proxy`, `no_proxy`. */
  proxies: Readonly<Record<string, string>>
  /** A PEM bundle to trust instead of the system's, for a server with a private CA. */
  caFile?: string
  /** Where scratch repositories are made; the system's directory for temporary files if absent. */
  scratchRoot?: string
  limits: GitLimits
}

/** A token and the only origin (`https://git.example.com`) that is ever offered it. */
export interface GitCredential {
  origin: string
  /** Most servers want any name that is not empty. */
  username?: string
  token: string
}
