import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { readGitSettings } from '../../src/lib/git/config.ts'
import { scratchPrefix } from '../../src/lib/git/scratch-name.ts'
import { sweepScratch } from '../../src/lib/git/sweep-scratch.ts'
import { temporaryDirectory } from './fixture.ts'

const MODULE = (name: string) => new URL(`../../src/lib/git/${name}.ts`, import.meta.url).href

/** A process that has a scratch repository open below `root`, until it is killed. */
async function processWithScratch(t: TestContext, scratchRoot: string) {
  const script = `
    const { createScratch } = await import(${JSON.stringify(MODULE('scratch'))})
    const { readGitSettings } = await import(${JSON.stringify(MODULE('config'))})
    const { signal } = new AbortController()
    const scratchRoot = ${JSON.stringify(scratchRoot)}
    const scratch = await createScratch({ ...readGitSettings(), scratchRoot }, signal)
    await scratch.init('sha1', signal)
    // Listening keeps it alive, for as long as this test is.
    process.on('message', () => {})
    process.send(scratch.gitDir)
  `
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  t.after(() => child.kill('SIGKILL'))
  const [gitDir] = (await once(child, 'message')) as [string]
  const exited = once(child, 'exit')
  return {
    pid: child.pid ?? 0,
    directory: join(gitDir, '..'),
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}

function makeOld(directory: string, minutes = 60): void {
  const then = new Date(Date.now() - minutes * 60_000)
  utimesSync(directory, then, then)
}

test('what a killed process left is swept, once it is old enough; what a live one has is not', async (t) => {
  const scratchRoot = temporaryDirectory(t)
  const settings = { ...readGitSettings(), scratchRoot }
  const [killed, alive] = await Promise.all([
    processWithScratch(t, scratchRoot),
    processWithScratch(t, scratchRoot),
  ])
  makeOld(killed.directory)
  makeOld(alive.directory)
  assert.equal(await sweepScratch(settings), 0, 'both are alive')

  await killed.kill()
  makeOld(killed.directory, 1)
  assert.equal(await sweepScratch(settings), 0, 'it is too young')
  makeOld(killed.directory)
  assert.equal(await sweepScratch(settings), 1)
  assert.deepEqual([existsSync(killed.directory), existsSync(alive.directory)], [false, true])
})

test('nothing else is swept: other names, other machines, links, files', async (t) => {
  const scratchRoot = temporaryDirectory(t)
  const gone = await processWithScratch(t, scratchRoot)
  await gone.kill()
  rmSync(gone.directory, { recursive: true })

  const elsewhere = scratchPrefix(gone.pid).replace(
    hostname().replace(/[^A-Za-z0-9.-]/g, '_'),
    'other-machine',
  )
  const directories = [
    'kodus-git-abcdef',
    `kodus-git-${gone.pid}-abcdef`,
    `${elsewhere}abcdef`,
    `x${scratchPrefix(gone.pid)}abcdef`,
    `${scratchPrefix(0)}abcdef`,
    `${scratchPrefix(1)}abcdef`,
    `${scratchPrefix(process.pid)}nowmade`,
  ]
  for (const name of directories) {
    mkdirSync(join(scratchRoot, name))
    if (!name.endsWith('nowmade')) makeOld(join(scratchRoot, name))
  }
  const target = temporaryDirectory(t)
  writeFileSync(join(target, 'kept'), '')
  const link = join(scratchRoot, `${scratchPrefix(gone.pid)}link12`)
  symlinkSync(target, link)
  lutimesSync(link, new Date(0), new Date(0))
  writeFileSync(join(scratchRoot, `${scratchPrefix(gone.pid)}file12`), '')
  makeOld(join(scratchRoot, `${scratchPrefix(gone.pid)}file12`))

  const before = readdirSync(scratchRoot).sort()
  assert.equal(await sweepScratch({ ...readGitSettings(), scratchRoot }), 0)
  assert.deepEqual(readdirSync(scratchRoot).sort(), before)
  assert.ok(existsSync(join(target, 'kept')))
})

test('a restarted container, whose process has the same id again, sweeps what the last one left', async (t) => {
  const scratchRoot = temporaryDirectory(t)
  const left = join(scratchRoot, `${scratchPrefix()}abcdef`)
  mkdirSync(left)
  makeOld(left, Math.ceil(process.uptime() / 60) + 10)
  assert.equal(await sweepScratch({ ...readGitSettings(), scratchRoot }), 1)
})

test('a directory that is not there is no error', async () => {
  assert.equal(await sweepScratch({ ...readGitSettings(), scratchRoot: '/nonexistent' }), 0)
})
