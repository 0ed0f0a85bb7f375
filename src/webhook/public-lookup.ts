import { lookup as systemLookup, type LookupAddress } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { hostOf, isPrivateAddress } from '../runtime/private-address.ts'

/** A host is, or stands for, an address that may not be called. */
export class PrivateAddress extends Error {
  override readonly name = 'PrivateAddress'
}

/** Looks at a host that is an address, and so is never looked up. @throws PrivateAddress */
export function assertPublicHost(url: URL): void {
  const host = hostOf(url)
  if (isIP(host) !== 0 && isPrivateAddress(host)) {
    throw new PrivateAddress(`${host} is a private address`)
  }
}

/** Resolves a name to all its addresses. */
export type Resolve = (
  hostname: string,
  callback: (
    error: NodeJS.ErrnoException | null,
    addresses: readonly LookupAddress[] | undefined,
  ) => void,
) => void

const resolveBySystem: Resolve = (hostname, callback) =>
  systemLookup(hostname, { all: true }, callback)

/**
 * Resolves names for a connection, and refuses those with a private address among theirs. The connection goes to the very
 * addresses that were looked at: a name that stands for another one a moment later gains nothing.
 */
export const publicLookup =
  (resolve: Resolve = resolveBySystem): LookupFunction =>
  (hostname, { all }, callback) => {
    resolve(hostname, (error, addresses) => {
      const [first] = addresses ?? []
      if (error !== null || addresses === undefined || first === undefined) {
        callback(error ?? new TypeError(`${hostname} has no address`), '')
      } else if (addresses.some(({ address }) => isPrivateAddress(address))) {
        callback(new PrivateAddress(`${hostname} has a private address`), '')
      } else if (all === true) callback(null, [...addresses])
      else callback(null, first.address, first.family)
    })
  }
