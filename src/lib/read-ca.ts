import { readFileSync } from 'node:fs'
import { KodusError, messageOf } from './errors.ts'

/**
 * A PEM file with the certificate authorities to trust, read at start: a wrong path must not end in a
 * connection without TLS.
 *
 * @param variable the environment variable that names the file, as `DATABASE_CA_FILE`
 * @throws KodusError DATABASE_CA_UNREADABLE or RABBITMQ_CA_UNREADABLE and so on, after the variable
 */
export function readCa(
  file: string,
  variable: 'DATABASE_CA_FILE' | 'RABBITMQ_CA_FILE' | 'GITHUB_CA_FILE' | 'GIT_SSL_CAINFO',
): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    const code = `${variable.replace(/_FILE$/, '')}_UNREADABLE`
    throw new KodusError(code, `The CA file ${file} cannot be read: ${messageOf(cause)}`, {
      help: `Set ${variable} to a PEM file this process may read, or unset it.`,
      cause,
    })
  }
}
