import { existsSync, globSync, mkdirSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { CACHE, findDebianPackage, machineRelease } from '../support/debian-packages.ts'

/** A Docker engine of Debian's that is installed nowhere, and what has to be said to its daemon for that. */
export interface EnginePrograms {
  path: readonly string[]
  /** For the daemon and what it starts; the client needs none of it. */
  daemonEnv: Readonly<Record<string, string>>
  compose: string
  buildx: string
}

/** The C library stays the machine's: programs are started by its loader. */
const ENGINE = {
  name: 'docker.io',
  needed:
    /^(docker\.io|docker-cli|containerd|runc|iptables|iproute2|tini|lib(?!c6$|c-bin$|gcc-s1$|crypt1$).+)$/,
}
/** The releases whose engine is known to run unpacked, and how the client comes to it. */
const RELEASES: Readonly<Record<string, readonly string[]>> = { bookworm: [], trixie: ['docker-cli'] }
/** Debian 12 has no plugins. Those of 13 are linked statically, and run on both. */
const PLUGINS_FROM = 'trixie'
/** What dockerd looks for in PATH under names that come with an installation only. */
const LINKS = {
  iptables: 'usr/sbin/xtables-nft-multi',
  ip6tables: 'usr/sbin/xtables-nft-multi',
  'docker-init': 'usr/bin/tini-static',
}

/** @returns the programs, or why they cannot be had */
export function findEnginePrograms(): EnginePrograms | { missing: string } {
  const release = machineRelease()
  const client = RELEASES[release]
  if (!client) return { missing: 'no engine answers, and one is fetched for Debian 12 and 13 only' }
  const engine = findDebianPackage({ ...ENGINE, with: [...client, 'iproute2'] })
  const compose = findPlugin('docker-compose')
  const buildx = findPlugin('docker-buildx')
  const absent = [engine, compose, buildx].find(({ skip }) => skip)
  if (absent?.skip) return { missing: absent.skip }

  const bin = path.join(CACHE, 'docker', 'bin')
  mkdirSync(bin, { recursive: true })
  for (const [name, target] of Object.entries(LINKS))
    link(path.join(engine.root, target), path.join(bin, name))
  const libraries = globSync('{usr/,}lib/*-linux-gnu', { cwd: engine.root }).map((each) =>
    path.join(engine.root, each),
  )
  return {
    path: [bin, ...['usr/bin', 'usr/sbin', 'bin', 'sbin'].map((each) => path.join(engine.root, each))],
    daemonEnv: {
      LD_LIBRARY_PATH: libraries.join(':'),
      // Without its extensions iptables writes no rule, silently, and no container finds another by name.
      XTABLES_LIBDIR: libraries.map((each) => path.join(each, 'xtables')).find(existsSync) ?? '',
    },
    compose: compose.file,
    buildx: buildx.file,
  }
}

function findPlugin(name: string) {
  const { root, skip } = findDebianPackage({ name, needed: new RegExp(`^${name}$`) }, PLUGINS_FROM)
  return { file: path.join(root, 'usr/libexec/docker/cli-plugins', name), skip }
}

function link(target: string, file: string): void {
  try {
    symlinkSync(target, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}
