import { createPrivateKey, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { KodusError } from '../../lib/errors.ts'

const HELP =
  "Generate a private key on the GitHub App's page, and let GITHUB_APP_PRIVATE_KEY_FILE name the .pem file, or put its text (or the base64 of it) into GITHUB_APP_PRIVATE_KEY."

/**
 * The key an App signs with. PKCS#1, as GitHub hands it out, or PKCS#8; as PEM with its newlines, with `\n` in
 * their place, or all of it in base64. As a KeyObject, it cannot be printed by accident.
 *
 * @throws KodusError GITHUB_KEY_UNREADABLE or GITHUB_KEY_INVALID, quoting nothing that may be of it
 */
export function readPrivateKey(source: { file: string } | { text: string }): KeyObject {
  const text = 'file' in source ? readKeyFile(source.file) : source.text
  const variable = 'file' in source ? 'GITHUB_APP_PRIVATE_KEY_FILE' : 'GITHUB_APP_PRIVATE_KEY'
  let key: KeyObject
  try {
    key = createPrivateKey(pemOf(text))
  } catch {
    // Without its cause: nobody promises that a parser's error does not quote what it parsed.
    throw invalid(`${variable} holds no private key that can be read.`)
  }
  if (key.asymmetricKeyType === 'rsa') return key
  throw invalid(`${variable} holds a key of type ${key.asymmetricKeyType}; a GitHub App signs with RSA.`)
}

function readKeyFile(file: string): string {
  if (file.includes('PRIVATE KEY')) {
    throw invalid('GITHUB_APP_PRIVATE_KEY_FILE holds a key, not the name of a file.')
  }
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException
    const name = looksLikePath(file) ? `, ${file},` : ''
    throw new KodusError(
      'GITHUB_KEY_UNREADABLE',
      `The file that GITHUB_APP_PRIVATE_KEY_FILE names${name} cannot be read (${code}).`,
      { help: 'Let it name a file that this process may read.' },
    )
  }
}

/** Anything else is not repeated: it may be a key in base64, whose lines may begin with a slash too. */
function looksLikePath(file: string): boolean {
  if (file.includes('\n') || /^[A-Za-z0-9+/=]{40,}$/.test(file)) return false
  return /^\.{0,2}\//.test(file) || file.endsWith('.pem')
}

function pemOf(text: string): string {
  const isPem = text.includes('-----BEGIN')
  const pem = isPem ? text : Buffer.from(text, 'base64').toString('utf8')
  return pem.replaceAll('\\r', '').replaceAll('\\n', '\n')
}

function invalid(message: string): KodusError {
  return new KodusError('GITHUB_KEY_INVALID', message, { help: HELP })
}
