import { spawnSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { findRabbitmqScripts } from './rabbitmq-node.ts'

/** Debian asks this program before a package starts its service; 101 is "no". */
const SERVICE_POLICY = '/usr/sbin/policy-rc.d'

/**
 * Installs RabbitMQ where that can be done without asking: as root on Debian and its kin. The system's
 * service is not started.
 *
 * @returns why there is none, or undefined when it is installed
 */
export function installRabbitmq(): string | undefined {
  if (findRabbitmqScripts()) return undefined
  const byHand =
    'install it (Debian, Ubuntu: `apt-get install rabbitmq-server`; macOS: `brew install rabbitmq`)'
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get'))
    return `RabbitMQ is not installed: ${byHand}`

  console.error('Installing RabbitMQ (once) …')
  const ownPolicy = !existsSync(SERVICE_POLICY)
  if (ownPolicy) writeFileSync(SERVICE_POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    for (const args of [['update'], ['install', '-y', '--no-install-recommends', 'rabbitmq-server']]) {
      const { status } = spawnSync('apt-get', ['-q', ...args], {
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
        stdio: ['ignore', 2, 2],
      })
      if (status !== 0) return `RabbitMQ could not be installed: apt-get ${args[0]} failed; ${byHand}`
    }
  } finally {
    if (ownPolicy) rmSync(SERVICE_POLICY, { force: true })
  }
  return findRabbitmqScripts() ? undefined : `RabbitMQ was installed, but not where it is known: ${byHand}`
}
