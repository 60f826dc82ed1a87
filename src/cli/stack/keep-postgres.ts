import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import { startEmbeddedPostgres } from './embedded-postgres.ts'

const LOOK_EVERY_MS = 1_000

export interface KeptPostgres {
  url: string
  port: number
  directory: string
  pid(): number
  stop(): Promise<void>
}

/** The embedded PostgreSQL, started again on its port when it dies: the components reconnect by themselves. */
export async function keepPostgres(directory: string, log: Log): Promise<KeptPostgres> {
  let server = await startEmbeddedPostgres({ directory, log })
  const { url, port } = server
  const stopping = new AbortController()

  const watch = async () => {
    while (!stopping.signal.aborted) {
      await sleep(LOOK_EVERY_MS, undefined, { signal: stopping.signal }).catch(() => {})
      if (stopping.signal.aborted || isAlive(server.pid)) continue
      log.warn('PostgreSQL has ended; starting it again')
      try {
        server = await startEmbeddedPostgres({ directory, preferredPort: port, log })
        if (server.port !== port) log.error(`port ${port} was taken meanwhile: stop and start again`)
      } catch (error) {
        log.error(`PostgreSQL could not be started again: ${messageOf(error)}`)
      }
    }
  }
  const watching = watch()

  return {
    url,
    port,
    directory: server.directory,
    pid: () => server.pid,
    async stop() {
      stopping.abort()
      await watching
      await server.stop()
    },
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
