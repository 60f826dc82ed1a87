import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, realpathSync, rmdirSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { keepPostgres } from '../../src/cli/stack/keep-postgres.ts'
import { silentLog } from '../../src/lib/log.ts'

/** For a test's `skip`: why no disk can be mounted here. Tried where nobody sees it. */
export const skipWithoutMount =
  spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', tmpdir()]).status === 0
    ? false
    : 'a disk of its own can only be mounted by root'

/**
 * Holds the disk for as long as its input is open, which ends with the process of the test, however that ends. What
 * still runs on it then ends too.
 */
const HOLD = `
  mount -t tmpfs -o "size=$2m,mode=0755" kodus-test "$1" || exit 1
  echo mounted
  cat > /dev/null
  for each in /proc/[0-9]*; do
    case "$(readlink "$each/cwd")" in "$1"/*) kill -QUIT "\${each#/proc/}" ;; esac
  done
  umount --lazy "$1"`

export interface PostgresOnSmallDisk {
  url: string
  /** Takes all the room that is left. */
  fill(): void
  makeRoom(): void
}

/**
 * A real server on a disk that can really be full. When it ends, it is started again until it runs, as `kodus up`
 * does it.
 */
export async function startPostgresOnSmallDisk(
  t: TestContext,
  megabytes: number,
): Promise<PostgresOnSmallDisk> {
  const place = realpathSync(mkdtempSync(path.join(tmpdir(), 'kodus-disk-')))
  const holder = spawn('sh', ['-c', HOLD, 'sh', place, String(megabytes)], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const unmounted = once(holder, 'exit')
  let stopServer = async () => {}
  // After the test's other hooks, which stop what is connected to the server.
  t.after(() =>
    t.after(async () => {
      try {
        await stopServer()
      } finally {
        holder.stdin.end()
        await unmounted
        rmdirSync(place)
      }
    }),
  )
  const [mounted] = await Promise.race([once(holder.stdout, 'data'), unmounted])
  if (String(mounted).trim() !== 'mounted') throw new Error(`no disk was mounted at ${place}`)

  const server = await keepPostgres(path.join(place, 'postgres'), silentLog)
  stopServer = server.stop
  const ballast = path.join(place, 'ballast')
  return {
    url: server.url,
    fill: () => writeUntilFull(ballast),
    makeRoom: () => rmSync(ballast),
  }
}

function writeUntilFull(file: string): void {
  const descriptor = openSync(file, 'a')
  try {
    for (let size = 1024 ** 2; size > 0; ) {
      try {
        writeSync(descriptor, Buffer.alloc(size))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
        size = Math.floor(size / 2)
      }
    }
  } finally {
    closeSync(descriptor)
  }
}
