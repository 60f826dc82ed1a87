type Variables = Readonly<Record<string, string | undefined>>

/** Who and where one is, and the certificates that Node reads before any code of ours runs. */
const KEPT = [
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'TMPDIR', 'TZ', 'LANG', 'LC_ALL'],
  ...['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR'],
]

/**
 * What processes under PM2 are given of the shell that started it, and all they are given: PM2 passes its own
 * environment on for as long as its daemon lives, when the shell and its settings are long gone.
 */
export function keptOfShell(shell: Variables): Record<string, string> {
  const kept = KEPT.map((name) => [name, shell[name]])
  return Object.fromEntries(kept.filter(([, value]) => value !== undefined))
}
