import type { LookupAddress } from 'node:dns'
import { expect, it, vi } from 'vitest'
import { PrivateAddress, publicLookup, type Resolve } from '../../src/webhook/public-lookup.ts'

const addressOf = (address: string): LookupAddress => ({
  address,
  family: address.includes(':') ? 6 : 4,
})

/** What a connection is told, and how often the name was looked up for it. */
async function lookUp(addresses: readonly string[] | Error, all: boolean) {
  const resolve = vi.fn<Resolve>((_name, callback) =>
    addresses instanceof Error
      ? callback(addresses, undefined)
      : callback(null, addresses.map(addressOf)),
  )
  const told = await new Promise((done) => {
    publicLookup(resolve)('alerts.example', { all }, (error, address, family) =>
      done(error ?? (all ? address : [address, family])),
    )
  })
  expect(resolve).toHaveBeenCalledTimes(1)
  return told
}

it('hands on the very addresses that it looked at', async () => {
  const found = ['8.8.8.8', '2a00:1450::1']
  expect(await lookUp(found, true)).toEqual(found.map(addressOf))
  expect(await lookUp(found, false)).toEqual(['8.8.8.8', 4])
})

it.each([[['10.0.0.1']], [['8.8.8.8', '::1']], [['64:ff9b::7f00:1', '8.8.8.8']]])(
  'refuses a name with one private address: %j',
  async (found) => {
    for (const all of [true, false]) {
      expect(await lookUp(found, all)).toBeInstanceOf(PrivateAddress)
    }
  },
)

it('fails as the system does, or where there is no address at all', async () => {
  const missing = new Error('getaddrinfo ENOTFOUND alerts.example')
  expect(await lookUp(missing, true)).toBe(missing)
  expect(await lookUp([], true)).toMatchObject({ message: 'alerts.example has no address' })
})
