import { describe, inject } from 'vitest'
import { describeWith } from './describe-with.ts'

/** Tells where the S3 server is that the tests are to use, and starts it if need be. */
export type S3Endpoint = () => Promise<string>

/**
 * The same tests on the embedded S3 and, where it is installed, on Ceph radosgw: one that was written by
 * others, to keep ours honest. Both know the keys of the stack.
 */
export function describeOnS3(name: string, suite: (endpoint: S3Endpoint) => void): void {
  describe(`${name}, on the embedded S3`, () => {
    suite(() => Promise.resolve(inject('stack').S3_ENDPOINT))
  })
  const { missing, starter } = inject('radosgw')
  describeWith('radosgw', missing, `${name}, on Ceph radosgw`, () => {
    suite(() => ask(starter))
  })
}

async function ask(starter: string): Promise<string> {
  const response = await fetch(starter)
  const text = await response.text()
  if (response.ok) return text
  throw new TypeError(`radosgw did not start: ${text}`)
}
