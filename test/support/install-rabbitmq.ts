import { existsSync } from 'node:fs'
import { messageOf } from '../../src/lib/errors.ts'
import { installFromDebian } from './rabbitmq-from-debian.ts'
import { DEBIAN_OF, findRabbitmq, type Series } from './rabbitmq-installation.ts'

/**
 * Makes a RabbitMQ of the series, or of any, available where that can be done without asking: on Debian, in a folder of ours. The
 * system itself is left as it is.
 *
 * @returns why there is none, or undefined when it is installed
 */
export function installRabbitmq(wanted?: Series): string | undefined {
  if (findRabbitmq(wanted)) return undefined
  const series = wanted ?? '3'
  const byHand = `install it, for macOS: \`brew install rabbitmq@${series}\` or \`brew install rabbitmq\``
  if (!existsSync('/usr/bin/apt-get')) return `RabbitMQ ${series} is not installed: ${byHand}`

  console.error(`Fetching RabbitMQ ${series} (once) …`)
  try {
    installFromDebian(DEBIAN_OF[series])
  } catch (error) {
    return `RabbitMQ ${series} is not installed, and cannot be fetched: ${messageOf(error)}`
  }
  return findRabbitmq(series) ? undefined : `RabbitMQ ${series} was fetched, but is not where it should be`
}
