import { BlockList, isIP } from 'node:net'

/** Of IPv4, what is not for everybody to reach: https://www.iana.org/assignments/iana-ipv4-special-registry */
const special = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const

/** IPv6 addresses that stand for one of IPv4: mapped ones, and those of a gateway (NAT64), which DNS64 makes of any name. */
const ofIPv4 = ['::ffff:', '64:ff9b::'] as const

/** Of IPv6, all that may be public at all: the rest of it is loopback, local, multicast, or not given out. */
const global = ['2000::', 3] as const

/** And of that, what is not: tunnels, which would lead anywhere, and examples. https://www.iana.org/assignments/iana-ipv6-special-registry */
const specialGlobal = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const

const refused = new BlockList()
const possible = new BlockList()
for (const [address, bits] of special) {
  refused.addSubnet(address, bits, 'ipv4')
  for (const prefix of ofIPv4) refused.addSubnet(prefix + address, 96 + bits, 'ipv6')
}
for (const [address, bits] of specialGlobal) refused.addSubnet(address, bits, 'ipv6')
possible.addSubnet(...global, 'ipv6')
for (const prefix of ofIPv4) possible.addSubnet(`${prefix}0.0.0.0`, 96, 'ipv6')

/**
 * Whether an IP address is of this machine or a network of its own: loopback, private, link-local (where clouds tell credentials),
 * shared, multicast, reserved, or one of IPv6 that stands for such a one. What is no address is private, too.
 */
export function isPrivateAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return refused.check(address, 'ipv4')
    case 6:
      // with a zone it is of one link
      return (
        address.includes('%') || !possible.check(address, 'ipv6') || refused.check(address, 'ipv6')
      )
    default:
      return true
  }
}

/** The host of a URL without the brackets of IPv6. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '')
