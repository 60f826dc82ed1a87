import {
  chmodSync,
  closeSync,
  globSync,
  lstatSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { CACHE, unpackFromDebian } from './debian-packages.ts'

/** What of RabbitMQ's dependencies its server needs to run; the rest is for its installation as a service. */
const NEEDED = /^(rabbitmq-server|erlang-.+|zlib1g|lib(?!python).+)$/
/** In a script of Erlang's: the directory that it was put into. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: it is for the shell.
const ROOT = '${0%/usr/lib/erlang/*}'
const ELF = Buffer.from('\x7fELF', 'latin1')

/** Where the RabbitMQ of a release of Debian is, or would be. */
export function debianRoot(release: string): string {
  return path.join(CACHE, 'rabbitmq', release)
}

/**
 * Puts the RabbitMQ of a release of Debian, its Erlang and its C library into a directory of ours.
 *
 * @throws Error saying which step failed
 */
export function installFromDebian(release: string): void {
  const rabbitmq = { name: 'rabbitmq-server', needed: NEEDED }
  unpackFromDebian(debianRoot(release), release, rabbitmq, useOwnLibraries)
}

/**
 * Every program of Erlang's is started by the loader that came with it, so that neither the machine's C library
 * has to be as new, nor anything be installed where the package expects itself.
 */
function useOwnLibraries(root: string): void {
  const [loader] = globSync('{usr/,}lib/*-linux-gnu*/ld-linux*.so.*', { cwd: root })
  if (!loader) throw new Error('the packages hold no loader')
  const libraries = globSync('{usr/,}lib/*-linux-gnu*', { cwd: root })
    .map((each) => `$root/${each}`)
    .join(':')
  for (const name of globSync('usr/lib/erlang/{,erts-*/,lib/*/priv/}bin/*', { cwd: root })) {
    const file = path.join(root, name)
    if (!lstatSync(file).isFile()) continue
    if (isProgram(file)) {
      renameSync(file, `${file}.elf`)
      const start = `exec "$root/${loader}" --library-path "${libraries}" --argv0 "$0" "$root/${name}.elf" "$@"`
      writeFileSync(file, `#!/bin/sh\nroot=${ROOT}\n${start}\n`)
      chmodSync(file, 0o755)
    } else if (path.basename(file) === 'erl') {
      const script = readFileSync(file, 'utf8')
      writeFileSync(file, script.replaceAll('ROOTDIR=/usr/', `ROOTDIR=${ROOT}/usr/`))
    }
  }
}

function isProgram(file: string): boolean {
  const start = Buffer.alloc(ELF.length)
  const descriptor = openSync(file, 'r')
  readSync(descriptor, start, 0, start.length, 0)
  closeSync(descriptor)
  return start.equals(ELF)
}
