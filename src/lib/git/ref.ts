import { KodusError } from '../errors.ts'

/** A full commit id, SHA-1 or SHA-256, in hex. */
export function isCommitId(text: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text)
}

const MAX_REF_BYTES = 255
/** What git itself refuses in a ref name (git-check-ref-format), and names that read as options. */
const NOT_A_REF = /^[-/.@+]?$|^[-+/.]|[\p{Cc}\p{Cs}\u007f ~^:?*[\\]|\.\.|@\{|\/\/|\/\.|\.lock(?:\/|$)|[/.]$/u

/**
 * A full commit id, or the name of a branch, tag or ref as git allows it, short enough for any file system.
 * Shell metacharacters are legal in a branch's name, and harmless: no shell reads it.
 *
 * @throws KodusError GIT_REF_REFUSED
 */
export function checkRef(ref: string): string {
  if (Buffer.byteLength(ref) <= MAX_REF_BYTES && !NOT_A_REF.test(ref)) return ref
  throw new KodusError('GIT_REF_REFUSED', `${JSON.stringify(ref.slice(0, 80))} cannot name a commit.`, {
    help: 'Give a full commit id, or the name of a branch or tag.',
  })
}

/**
 * As `checkRef`, and what a person types: `HEAD~3`, `main^2`, `@`.
 *
 * @throws KodusError GIT_REF_REFUSED
 */
export function checkRevision(revision: string): string {
  const name = revision.replace(/(?:~\d{0,9}|\^\d{0,9})*$/, '')
  if (name !== '@') checkRef(name)
  return revision
}
