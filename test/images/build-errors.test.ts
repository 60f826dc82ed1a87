import assert from 'node:assert/strict'
import { chmodSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { platformOfThisMachine } from '../../src/cli/images/platform.ts'
import { kodus } from '../support/kodus.ts'
import { makeScratch } from './staging.ts'

test('without an engine, `kodus build` says what to install', async () => {
  const { code, stderr } = await kodus(['build'], { PATH: makeScratch() })
  assert.equal(code, 2)
  assert.match(stderr, /^ENGINE_MISSING: .*`docker` was not found\.\n.*apt-get install docker\.io/)
})

test('an engine that does not answer is told from none', async () => {
  const { code, stderr } = await kodus(['build'], { PATH: engineThat('echo "no daemon here" >&2; exit 1') })
  assert.equal(code, 2)
  assert.match(stderr, /^ENGINE_MISSING: The container engine does not answer: no daemon here\n/)
})

test('when the engine cannot build, its last words are shown', async () => {
  const PATH = engineThat(`case "$1" in
    version) echo linux/amd64 ;;
    build) i=0; while [ $i -lt 100 ]; do i=$((i + 1)); echo "step $i"; done; echo "no such base" >&2; exit 1 ;;
  esac`)
  const { code, stderr } = await kodus(['build', 'webhook-handler'], { PATH })
  assert.equal(code, 2)
  assert.match(
    stderr,
    /\nstep 100\nno such base\nBUILD_FAILED: The engine did not build webhook-handler-base: no such base\n/,
  )
  assert.doesNotMatch(stderr, /\nstep 50\n/)
})

test('a component that there is none of, or a platform, is refused before anything is done', async () => {
  for (const args of [['api'], ['--platform', 'windows/amd64']]) {
    const { code, stderr } = await kodus(['build', ...args])
    assert.equal(code, 2)
    assert.match(stderr, /Allowed choices are/)
  }
})

test('when what another platform needs cannot be fetched, that is said with what npm said', async () => {
  const other = platformOfThisMachine() === 'linux/amd64' ? 'linux/arm64' : 'linux/amd64'
  const stage = ['--stage-only', path.join(makeScratch(), 'staged')]
  const PATH = programThat('npm', 'echo "no such host" >&2; exit 1')
  const { code, stderr } = await kodus(['build', 'worker', '--platform', other, ...stage], { PATH })
  assert.equal(code, 2)
  assert.match(
    stderr,
    /^PACKAGE_UNAVAILABLE: What linux.* needs could not be fetched \(@ast-grep.*\): no such host\n/,
  )
})

function engineThat(does: string): string {
  return programThat('docker', does)
}

/** A PATH on which there is one program, a script. */
function programThat(name: string, does: string): string {
  const directory = makeScratch()
  const file = path.join(directory, name)
  writeFileSync(file, `#!/bin/sh\n${does}\n`)
  chmodSync(file, 0o755)
  return directory
}
