// How large each image is, how long a container of it takes from `docker run` until it is ready, and what it holds in
// memory then: with the limits of src/components.ts, a read-only root and no root inside, against one embedded
// PostgreSQL. Prints medians of several starts, in turn; the last line is JSON. Needs Linux: containers share its network.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { startEmbeddedPostgres } from '../src/cli/stack/embedded-postgres.ts'
import { freePort } from '../src/cli/stack/free-port.ts'
import { COMPONENTS, type ComponentFacts, type ComponentType, CPU_UNITS_PER_VCPU } from '../src/components.ts'
import { silentLog } from '../src/lib/log.ts'
import { openDatabase } from '../src/store/database.ts'
import { migrate } from '../src/store/migrate.ts'
import { type Engine, startEngine } from '../test/containers/engine.ts'
import { buildProductImages, type ProductImages } from '../test/containers/product-images.ts'
import { describeMachine } from './support/machine.ts'
import { medianOf, round } from './support/statistics.ts'
import { table } from './support/table.ts'

interface Start {
  readyMs: number
  memoryMb: number
}

const ROUNDS = 3
const READY_WITHIN_MS = 120_000
/** Until what is idle is idle: the start has left garbage. */
const SETTLE_MS = 5_000
const MIB = 1024 ** 2

const machine = describeMachine()
const engine = await startEngine()
if ('missing' in engine) {
  console.error(`There is no container engine: ${engine.missing}.`)
  process.exit(1)
}
const directory = mkdtempSync(path.join(tmpdir(), 'kodus-bench-images-'))
try {
  const images = await buildProductImages(engine)
  const postgres = await startEmbeddedPostgres({
    directory: path.join(directory, 'postgres'),
    log: silentLog,
  })
  try {
    const db = openDatabase({ url: postgres.url, component: 'bench', maxConnections: 1, log: silentLog })
    await migrate(db)
    await db.end()
    await report(engine, images.names, postgres.url)
  } finally {
    await postgres.stop()
    await images.remove()
  }
} finally {
  await engine.close()
  rmSync(directory, { recursive: true, force: true })
}

async function report(engine: Engine, images: ProductImages['names'], databaseUrl: string) {
  const types = Object.keys(images) as ComponentType[]
  const starts: Record<ComponentType, Start[]> = { webhook: [], api: [], worker: [] }
  // The first round reads the images from the disk; it is not counted.
  for (let number = 0; number <= ROUNDS; number++) {
    for (const type of types) {
      const start = await measure(engine, type, images[type], databaseUrl)
      if (number > 0) starts[type].push(start)
    }
  }
  const rows = await Promise.all(
    types.map(async (type) => {
      const component: ComponentFacts = COMPONENTS[type]
      const bytes = Number(await engine.docker('image', 'inspect', '--format', '{{.Size}}', images[type]))
      return {
        name: component.name,
        vcpu: component.task.cpuUnits / CPU_UNITS_PER_VCPU,
        limit_mb: component.task.memoryMb,
        image_mb: round(bytes / MIB),
        ready_ms: round(medianOf(starts[type], ({ readyMs }) => readyMs)),
        memory_mb: round(medianOf(starts[type], ({ memoryMb }) => memoryMb)),
      }
    }),
  )
  console.log(`${machine}; ${engine.kind} engine. Medians of ${ROUNDS} starts.\n`)
  const header = ['image', 'MB', 'vCPU', 'memory limit, MB', 'run to ready, ms', 'idle, MB']
  console.log(
    table(
      header,
      rows.map((row) => [row.name, row.image_mb, row.vcpu, row.limit_mb, row.ready_ms, row.memory_mb]),
    ),
  )
  console.log(JSON.stringify(Object.fromEntries(rows.map(({ name, ...row }) => [name, row]))))
}

async function measure(
  engine: Engine,
  type: ComponentType,
  image: string,
  databaseUrl: string,
): Promise<Start> {
  const { name: component, http, task }: ComponentFacts = COMPONENTS[type]
  const name = `kodus-bench-${component}-${process.pid}`
  const port = await freePort()
  const settings = { DATABASE_URL: databaseUrl, ...(http ? { [http.variable]: String(port) } : {}) }
  const options = [
    ...['--name', name, '--rm', '--network=host', '--read-only', '--tmpfs=/tmp'],
    ...[`--cpus=${task.cpuUnits / CPU_UNITS_PER_VCPU}`, `--memory=${task.memoryMb}m`],
    // Its value comes from the environment: an address with a password is nobody's to read in a list of processes.
    ...Object.keys(settings).flatMap((variable) => ['--env', variable]),
  ]
  const began = performance.now()
  const container = spawn('docker', ['run', ...options, image], {
    env: { ...engine.env, ...settings },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(container, 'exit').then(() => Promise.reject(new Error(`${component} did not start`)))
  ended.catch(() => {})
  const ready = http
    ? answers(`http://127.0.0.1:${port}${http.ready}`)
    : says(container.stdout, 'worker ready')
  try {
    await Promise.race([ready, ended])
    const readyMs = performance.now() - began
    container.stdout.resume()
    await sleep(SETTLE_MS)
    return { readyMs, memoryMb: await memoryOf(engine, name) }
  } finally {
    await engine.docker('rm', '--force', '--volumes', name).catch(() => {})
  }
}

async function answers(url: string): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS
  while (performance.now() < deadline) {
    const answer = await fetch(url).catch(() => undefined)
    await answer?.arrayBuffer()
    if (answer?.status === 200) return
    await sleep(10)
  }
  throw new Error(`${url} did not answer 200 within ${READY_WITHIN_MS} ms`)
}

async function says(stream: NodeJS.ReadableStream, text: string): Promise<void> {
  for await (const line of createInterface(stream)) if (line.includes(text)) return
  throw new Error(`it ended without saying ${JSON.stringify(text)}`)
}

/** Of its control group, as Docker holds it against the limit: without the files that can be dropped from memory. */
async function memoryOf(engine: Engine, name: string): Promise<number> {
  const usage = await engine.docker('stats', '--no-stream', '--format', '{{.MemUsage}}', name)
  const [, value = '', unit = ''] = /^([\d.]+)([KMG])iB/.exec(usage) ?? []
  const scale = { K: 1 / 1024, M: 1, G: 1024 }[unit]
  if (scale === undefined) throw new Error(`docker says of its memory: ${usage}`)
  return Number(value) * scale
}
