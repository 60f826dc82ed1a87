// How long each component takes until it is ready, and what it holds in memory then. Runs every component
// several times against one embedded PostgreSQL, in turn, and prints medians; the last line is JSON.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startEmbeddedPostgres } from '../src/cli/stack/embedded-postgres.ts'
import { freePort } from '../src/cli/stack/free-port.ts'
import { silentLog } from '../src/lib/log.ts'
import { openDatabase } from '../src/store/database.ts'
import { migrate } from '../src/store/migrate.ts'

const ROUNDS = 5
const COMPONENTS = { 'webhook-handler': 'webhook', 'api-rest': 'api', worker: 'worker' } as const

const directory = mkdtempSync(path.join(tmpdir(), 'kodus-footprint-'))
const postgres = await startEmbeddedPostgres({ directory: path.join(directory, 'postgres'), log: silentLog })
try {
  const db = openDatabase({ url: postgres.url, component: 'bench', maxConnections: 1, log: silentLog })
  await migrate(db)
  await db.end()

  const rounds: Record<string, { ready_ms: number; rss_mb: number }[]> = {}
  // The first round fills Node's compile cache, as a first start does; it is not counted.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, type] of Object.entries(COMPONENTS)) {
      const measured = await measure(type)
      if (round > 0) rounds[name] = [...(rounds[name] ?? []), measured]
    }
  }
  const result = Object.fromEntries(
    Object.entries(rounds).map(([name, values]) => [
      name,
      {
        ready_ms: median(values.map((value) => value.ready_ms)),
        rss_mb: median(values.map((value) => value.rss_mb)),
      },
    ]),
  )
  console.log(
    `Node ${process.version}, median of ${ROUNDS} starts; resident memory one second after ready, idle.\n`,
  )
  for (const [name, { ready_ms, rss_mb }] of Object.entries(result)) {
    console.log(
      `${name.padEnd(16)} ready in ${String(ready_ms).padStart(5)} ms   ${String(rss_mb).padStart(5)} MB resident`,
    )
  }
  console.log(JSON.stringify(result))
} finally {
  await postgres.stop()
  rmSync(directory, { recursive: true, force: true })
}

async function measure(type: string): Promise<{ ready_ms: number; rss_mb: number }> {
  const env = {
    ...process.env,
    COMPONENT_TYPE: type,
    DATABASE_URL: postgres.url,
    RABBITMQ_URL: '',
    WEBHOOK_PORT: String(await freePort()),
    API_PORT: String(await freePort()),
    NODE_COMPILE_CACHE: path.join(directory, 'cache'),
  }
  const started = performance.now()
  const child = spawn(process.execPath, ['src/main.ts'], {
    env,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => Promise.reject(new Error(`${type} did not start`))),
  ])
  const ready_ms = Math.round(performance.now() - started)
  await sleep(1_000)
  const rss_mb = residentMegabytes(child.pid ?? 0)
  child.kill('SIGTERM')
  await once(child, 'exit')
  return { ready_ms, rss_mb }
}

/** From /proc where there is one; elsewhere not measured. */
function residentMegabytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Math.round(Number(kilobytes) / 1024)
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
