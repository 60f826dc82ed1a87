import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Engine } from '../containers/engine.ts'

/**
 * Pushes an image to a repository, under a tag of its own.
 *
 * @returns `repository@sha256:…`, by which the engine has to pull it
 */
export async function pushToRegistry(engine: Engine, from: string, repository: string): Promise<string> {
  const name = `${repository}:${randomBytes(4).toString('hex')}`
  await engine.docker('tag', from, name)
  await engine.docker('push', '--quiet', name)
  const digests: string[] = JSON.parse(
    await engine.docker('image', 'inspect', '--format={{json .RepoDigests}}', name),
  )
  const pushed = digests.find((digest) => digest.startsWith(`${repository}@`))
  if (!pushed) throw new Error(`docker does not say under which digest it pushed ${name}`)
  await engine.docker('image', 'rm', name)
  return pushed
}

/** An image made of another by more lines of a Dockerfile. @returns its name, to be removed */
export async function deriveImage(engine: Engine, from: string, ...lines: string[]): Promise<string> {
  const name = `kodus-test-${randomBytes(4).toString('hex')}`
  const context = mkdtempSync(path.join(tmpdir(), 'kodus-image-'))
  try {
    writeFileSync(path.join(context, 'Dockerfile'), [`FROM ${from}`, ...lines, ''].join('\n'))
    await engine.docker('build', '--quiet', `--tag=${name}`, context)
    return name
  } finally {
    rmSync(context, { recursive: true, force: true })
  }
}
