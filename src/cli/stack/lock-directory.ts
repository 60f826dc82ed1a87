import { once } from 'node:events'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { KodusError, messageOf } from '../../lib/errors.ts'

interface Holder {
  pid: number
  port: number
}

/**
 * Makes sure that one process at a time uses a data directory. The holder answers on a loopback port with
 * the directory's name, which a reused pid would not; a lock whose holder does not answer is taken over.
 *
 * @returns a function that releases the lock
 * @throws KodusError STACK_ALREADY_RUNS
 */
export async function lockDirectory(directory: string): Promise<() => void> {
  const file = join(directory, 'lock')
  const server = createServer((socket) => socket.end(directory).on('error', () => {}))
  server.listen(0, '127.0.0.1').unref()
  await once(server, 'listening')
  const address = server.address()
  const own: Holder = { pid: process.pid, port: typeof address === 'object' && address ? address.port : 0 }

  const release = () => {
    server.close()
    if (readHolder(file)?.port === own.port) rmSync(file, { force: true })
  }
  while (!writeIfAbsent(file, own)) {
    const holder = readHolder(file)
    if (holder && (await isHeld(holder, directory))) {
      server.close()
      throw new KodusError(
        'STACK_ALREADY_RUNS',
        `A stack already runs from ${directory} (pid ${holder.pid}).`,
        {
          help: 'Use that one, stop it with Ctrl-C, or give this one a directory of its own: KODUS_DIRECTORY.',
        },
      )
    }
    takeAway(file, holder)
  }
  return release
}

function writeIfAbsent(file: string, holder: Holder): boolean {
  try {
    writeFileSync(file, JSON.stringify(holder), { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function readHolder(file: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

/** Removes the lock of a holder that is gone. Moved first: somebody else may have taken it over meanwhile. */
function takeAway(file: string, stale: Holder | undefined): void {
  const aside = `${file}.${process.pid}`
  try {
    renameSync(file, aside)
  } catch {
    return
  }
  if (readHolder(aside)?.port === stale?.port) rmSync(aside, { force: true })
  else renameSync(aside, file)
}

/** Only a port that nobody listens on is free of its holder: one that is silent may be frozen (Ctrl-Z). */
async function isHeld({ port }: Holder, directory: string): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  socket.setTimeout(1_000, () => socket.destroy(new Error(SILENT)))
  try {
    return (await text(socket)) === directory
  } catch (error) {
    return messageOf(error) === SILENT
  }
}

const SILENT = 'the holder is silent'
