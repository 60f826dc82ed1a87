import { BlockList, isIP } from 'node:net'

/**
 * Addresses that mean this machine, its own network link, or its cloud's metadata service. IPv4 addresses
 * written as IPv6 (`::ffff:127.0.0.1`) are seen through.
 *
 * Private networks (10/8, 172.16/12, 192.168/16, fc00::/7) are not among them: that is where self-hosted
 * git servers are.
 */
const REFUSED = blockList({
  // Linux takes 0.0.0.0 and :: for itself; the rest of 0/8 is no destination (RFC 1122, 3.2.1.3). The last
  // is Alibaba Cloud's metadata service.
  ipv4: ['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '100.100.100.200/32'],
  // Loopback and link-local IPv4 behind a NAT64 gateway (RFC 6052), then AWS's and Google's metadata.
  ipv6: [
    ...['::/128', '::1/128', 'fe80::/10', '64:ff9b::7f00:0/104', '64:ff9b::a9fe:0/112'],
    ...['fd00:ec2::254/128', 'fd20:ce::254/128'],
  ],
})

/** Whether it is one of these addresses. A name is not. */
export function isRefused(host: string): boolean {
  // An address of a link may name the network card behind a percent sign.
  const [address = ''] = host.split('%')
  const family = isIP(address)
  return family !== 0 && REFUSED.check(address, family === 6 ? 'ipv6' : 'ipv4')
}

function blockList(subnets: Record<'ipv4' | 'ipv6', string[]>): BlockList {
  const list = new BlockList()
  for (const family of ['ipv4', 'ipv6'] as const) {
    for (const subnet of subnets[family]) {
      const [address = '', bits] = subnet.split('/')
      list.addSubnet(address, Number(bits), family)
    }
  }
  return list
}
