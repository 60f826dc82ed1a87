import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { after, describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { missing } from '../support/missing.ts'
import { ensureBaseImage } from './base-image.ts'
import { startEngine } from './engine.ts'
import { createScope } from './scope.ts'

// Part of `npm run test:containers`: the engine that the others rely on does what they rely on.

const ENDED_WITHIN_MS = 60_000
const ENGINE = fileURLToPath(new URL('./engine.ts', import.meta.url))

const engine = await startEngine()
const skip = 'missing' in engine ? missing(engine.missing) : false

describe('the engine', { skip }, async () => {
  assert.ok(!('missing' in engine))
  after(() => engine.close())
  const base = await ensureBaseImage(engine)

  test('lets containers find each other by name, and this machine reach a published port', async (t) => {
    const { prefix } = scoped(t)
    await engine.docker('network', 'create', prefix)
    const server = `require('http').createServer((_, response) => response.end('here')).listen(80)`
    const run = ['run', '--network', prefix, '--name']
    const published = ['--publish', '127.0.0.1::80']
    await engine.docker(
      ...run,
      `${prefix}-server`,
      '--detach',
      '--init',
      ...published,
      base,
      'node',
      '-e',
      server,
    )
    const client = `fetch('http://${prefix}-server').then((answer) => answer.text()).then(console.log)`
    await becomes('here', () => engine.docker(...run, `${prefix}-client`, '--rm', base, 'node', '-e', client))
    const address = (await engine.docker('port', `${prefix}-server`, '80/tcp')).split('\n')[0]
    assert.equal(await (await fetch(`http://${address}`)).text(), 'here')
  })

  test('ends a container that takes more memory than it was given', async (t) => {
    const { prefix } = scoped(t)
    const hog = 'const all = []; for (;;) all.push(Buffer.alloc(1024 ** 2, 1))'
    const limits = ['--memory', '128m', '--memory-swap', '128m', '--network', 'none']
    await assert.rejects(
      engine.docker('run', '--name', prefix, ...limits, base, 'node', '-e', hog),
      /ended with 137/,
    )
    assert.equal(await engine.docker('inspect', '--format', '{{.State.OOMKilled}}', prefix), 'true')
  })

  test('holds a container back that wants more of a processor than it was given', async (t) => {
    const { prefix } = scoped(t)
    const burn = 'const end = Date.now() + 3000; while (Date.now() < end);'
    const counted = 'cat /sys/fs/cgroup/cpu.stat /sys/fs/cgroup/cpu/cpu.stat 2>/dev/null'
    const run = ['run', '--name', prefix, '--cpus', '0.25', '--network', 'none', base, 'sh', '-c']
    const statistics = await engine.docker(...run, `node -e '${burn}'; ${counted}; true`)
    assert.ok(Number(/^nr_throttled (\d+)$/m.exec(statistics)?.[1]) > 0, statistics)
  })
})

const privately = skip || ('kind' in engine && engine.kind === 'machine' && 'the engine is the machine’s')

test('a private engine leaves nothing behind when its test is killed', { skip: privately }, async () => {
  const own = startedElsewhere()
  const directory = await own.directory
  assert.ok(tracesOf(directory).some((each) => each.endsWith('/dockerd')))
  own.child.kill('SIGKILL')
  await until(() => !tracesOf(directory).some((each) => each.startsWith('process')))

  const next = startedElsewhere()
  assert.equal(await next.directory, directory, 'the place is free again')
  next.child.kill('SIGTERM') // It closes its engine.
  await once(next.child, 'exit')
  assert.deepEqual(tracesOf(directory), [])
})

/** Another process that starts an engine, with a container in it, and closes it on SIGTERM. */
function startedElsewhere() {
  const script = `
    const { startEngine } = await import('${ENGINE}')
    const { ensureBaseImage } = await import('${fileURLToPath(new URL('./base-image.ts', import.meta.url))}')
    const engine = await startEngine()
    await engine.docker('run', '--detach', '--restart=always', await ensureBaseImage(engine), 'sleep', '600')
    process.once('SIGTERM', () => engine.close().then(() => process.exit()))
    console.log(engine.env.DOCKER_CONFIG.replace(/.config$/, ''))
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script])
  child.stderr.pipe(process.stderr)
  const directory = once(createInterface({ input: child.stdout }), 'line').then(([line]) => String(line))
  return { child, directory }
}

/** Processes, mounts, bridges and control groups of an engine in a directory. */
function tracesOf(directory: string): string[] {
  const processes = globSync('/proc/[0-9]*/cmdline').flatMap((file) => {
    const [program = '', ...args] = read(file).split('\0')
    const isOurs = args.some((each) => each.includes(`${directory}/`))
    return isOurs && /dockerd|containerd/.test(program) ? [`process /${program}`] : []
  })
  const mounts = read('/proc/self/mountinfo')
    .split('\n')
    .filter((line) => line.includes(` ${directory}/`))
  const name = `kodus-engine-${directory.split('/').at(-1)}`
  const bridges = execFileSync('ip', ['-brief', 'link'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.startsWith(name))
  return [...processes, ...mounts, ...bridges, ...globSync(`/sys/fs/cgroup/{,*/}${name}`)]
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return '' // A process that has ended.
  }
}

function scoped(t: TestContext) {
  assert.ok(!('missing' in engine))
  const scope = createScope(engine)
  t.after(() => scope.close())
  return scope
}

async function becomes(expected: string, ask: () => Promise<string>): Promise<void> {
  let last = ''
  await until(async () => {
    last = await ask().catch(String)
    return last === expected
  }).catch(() => assert.equal(last, expected))
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + ENDED_WITHIN_MS
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`Not within ${ENDED_WITHIN_MS / 1000} s`)
    await sleep(200)
  }
}
