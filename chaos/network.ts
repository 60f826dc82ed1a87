import { startTcpProxy, type TcpProxy } from '../test/support/tcp-proxy.ts'
import type { Scope } from './scope.ts'

export const SERVICES = ['database', 'broker', 'forge', 'model'] as const
export type Service = (typeof SERVICES)[number]

/** The connections between each process and what it needs, each of which can fail by itself. */
export interface Network {
  /** The address by which this process reaches a service. */
  route(process: string, service: Service, url: string): string
  /** The links to a service: of one process, or of all. */
  links(service: Service, process?: string): TcpProxy[]
}

export type Targets = Readonly<Partial<Record<Service, { host: string; port: number }>>>

export async function createNetwork(
  scope: Scope,
  processes: readonly { name: string; needs: readonly Service[] }[],
  targets: Targets,
): Promise<Network> {
  const proxies: { process: string; service: Service; proxy: TcpProxy }[] = []
  for (const { name, needs } of processes) {
    for (const service of needs) {
      const target = targets[service]
      if (!target) continue
      // Not a copy: a server that has to move to another port is found there.
      proxies.push({ process: name, service, proxy: await startTcpProxy(scope.context, target) })
    }
  }
  const find = (service: Service, process?: string) =>
    proxies.filter((each) => each.service === service && (process === undefined || each.process === process))
  return {
    route(process, service, url) {
      const [found] = find(service, process)
      if (!found) throw new Error(`${process} has no link to ${service}`)
      return found.proxy.through(url)
    },
    links: (service, process) => find(service, process).map(({ proxy }) => proxy),
  }
}
