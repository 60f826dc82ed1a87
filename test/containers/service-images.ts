import { createHash } from 'node:crypto'
import { copyFileSync, cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { locatePostgres } from '../../src/cli/stack/postgres-binaries.ts'
import { downloadFromDebian } from '../support/debian-packages.ts'
import { debianRoot, installFromDebian } from '../support/rabbitmq-from-debian.ts'
import { ensureBaseImage } from './base-image.ts'
import type { Engine } from './engine.ts'
import { hasImage, isHad } from './images.ts'

const STAND_INS = fileURLToPath(new URL('./stand-ins', import.meta.url))

interface Service {
  /** What is used where a registry answers. */
  official: string
  /** Puts what its Dockerfile copies into a directory. */
  stage(directory: string, base: { name: string; engine: Engine }): Promise<void>
}

const SERVICES = {
  postgres: {
    official: 'postgres:18',
    async stage(directory, base) {
      const { postgres } = await locatePostgres()
      copyWhole(path.dirname(path.dirname(postgres)), path.join(directory, 'native'))
      copyFileSync(path.join(STAND_INS, 'postgres-entrypoint'), path.join(directory, 'postgres-entrypoint'))
      await stagePackage(directory, 'postgresql-client-15', base)
    },
  },
  rabbitmq: {
    official: 'rabbitmq:4',
    async stage(directory) {
      const root = debianRoot('trixie')
      if (!existsSync(root)) installFromDebian('trixie')
      copyWhole(root, path.join(directory, 'rabbitmq'))
    },
  },
  haproxy: {
    official: 'haproxy:lts',
    stage: (directory, base) => stagePackage(directory, 'haproxy', base),
  },
} satisfies Record<string, Service>

export type ServiceName = keyof typeof SERVICES

/**
 * The image of a service that the product needs and is not: the official one where it is had, else one that is made
 * of what npm and Debian have, with the same variables, volumes and health commands.
 *
 * @returns its name
 */
export async function ensureServiceImage(engine: Engine, service: ServiceName): Promise<string> {
  const { official, stage }: Service = SERVICES[service]
  if (await isHad(engine, official)) return official

  const base = await ensureBaseImage(engine)
  const name = `kodus-stand-in/${service}:${keyOf(service, base)}`
  if (await hasImage(engine, name)) return name
  console.error(`Making an image in place of ${official} (once) …`)
  const context = mkdtempSync(path.join(tmpdir(), 'kodus-stand-in-'))
  try {
    await stage(context, { name: base, engine })
    const file = path.join(STAND_INS, `${service}.dockerfile`)
    await engine.docker(
      'build',
      '--quiet',
      '--build-arg',
      `BASE_IMAGE=${base}`,
      '--tag',
      name,
      '--file',
      file,
      context,
    )
  } finally {
    rmSync(context, { recursive: true, force: true })
  }
  return name
}

function keyOf(service: string, base: string): string {
  const hash = createHash('sha256').update(base)
  for (const file of globSync(`${service}*`, { cwd: STAND_INS }).sort())
    hash.update(readFileSync(path.join(STAND_INS, file)))
  return hash.digest('hex').slice(0, 12)
}

/** The files that dpkg needs to install a package over what the base image has. */
async function stagePackage(
  directory: string,
  name: string,
  base: { name: string; engine: Engine },
): Promise<void> {
  const has = await base.engine.docker(
    'run',
    '--rm',
    '--network=none',
    base.name,
    'cat',
    '/var/lib/dpkg/status',
  )
  downloadFromDebian(path.join(directory, 'packages'), 'bookworm', name, `${has}\n\n`)
}

function copyWhole(from: string, to: string): void {
  cpSync(from, to, { recursive: true, verbatimSymlinks: true })
}
