import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { KodusError } from '../../lib/errors.ts'

/**
 * Asks for a secret without showing it; from a pipe, reads all of it. Without the space around it.
 *
 * @throws KodusError SETUP_CANCELLED for Ctrl-C and Ctrl-D
 */
export async function readSecret(question: string): Promise<string> {
  if (!process.stdin.isTTY) return (await text(process.stdin)).trim()
  process.stderr.write(question)
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const prompt = createInterface({ input: process.stdin, output: silent, terminal: true })
  const cancelled = new Promise<never>((_resolve, reject) => {
    const cancel = () =>
      reject(
        new KodusError('SETUP_CANCELLED', 'Nothing was changed.', { help: 'Begin again when you like.' }),
      )
    prompt.once('SIGINT', cancel).once('close', cancel)
  })
  try {
    return (await Promise.race([prompt.question(''), cancelled])).trim()
  } finally {
    prompt.close()
    process.stderr.write('\n')
  }
}
