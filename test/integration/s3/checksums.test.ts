import { expect, it, onTestFinished } from 'vitest'
import { MiB } from '../../../src/runtime/units.ts'
import { patternBytes } from '../../support/chunks.ts'
import { describeOnS3 } from '../../support/describe-on-s3.ts'
import { createMeddledStore } from '../../support/meddled-store.ts'
import type { Meddle, SeenRequest } from '../../support/s3-proxy.ts'

/** Whatever a store would have to know of the newer checksums. */
const checksumHeadersOf = ({ headers }: SeenRequest) =>
  Object.keys(headers).filter((name) => /^x-amz-(checksum|sdk-checksum|trailer)/.test(name))

const hasBytes = ({ operation }: SeenRequest) => operation === 'put' || operation === 'part'

const digest = /^[0-9a-f]{64}$/
const signedDigestOf = ({ headers }: SeenRequest) => headers['x-amz-content-sha256']

/** Framing of the body that a store which does not know it would keep as a part of the object. */
const isFramed = ({ headers }: SeenRequest) =>
  headers['transfer-encoding'] !== undefined ||
  /aws-chunked/.test(headers['content-encoding'] ?? '') ||
  /^STREAMING-/.test(String(headers['x-amz-content-sha256'])) ||
  headers['x-amz-decoded-content-length'] !== undefined

function withAnotherByte(body: Buffer): Buffer {
  const other = Buffer.from(body)
  other[1000]! ^= 1
  return other
}

describeOnS3('an upload', (endpoint) => {
  const storeWith = async (checksums: 'when_supported' | 'when_required', meddle: Meddle) =>
    createMeddledStore(onTestFinished, meddle, {
      endpoint: await endpoint(),
      settings: { checksums },
    })

  /** Everything the store does for an artifact, small and large; and whether the store verifies checksums. */
  async function requestsWith(checksums: 'when_supported' | 'when_required') {
    let verifies = false
    const { put, store, bucket, proxy } = await storeWith(
      checksums,
      async (operation, _nth, forward) => {
        const answer = await forward()
        if (operation === 'put') verifies = 'x-amz-checksum-crc32' in (answer.headers ?? {})
        return answer
      },
    )
    for (const bytes of [Buffer.from('["S1"]'), patternBytes(9 * MiB)]) {
      const key = `${bytes.length}.json`
      expect(await put(key, bytes)).toMatchObject({ bytes: bytes.length })
      await store.remove(key)
    }
    expect(await bucket.keys()).toEqual([])
    const all = ['put', 'create', 'part', 'complete', 'head', 'uploads', 'delete'] as const
    for (const operation of all) expect(proxy.count(operation), operation).toBeGreaterThan(0)
    const { requests } = proxy
    return { requests, bodies: requests.filter(hasBytes), verifies }
  }

  it('with S3_CHECKSUMS=when_required has no header of a checksum, and no framing', async () => {
    const { requests, bodies } = await requestsWith('when_required')
    for (const request of requests) {
      expect(checksumHeadersOf(request), request.operation).toEqual([])
      expect(isFramed(request), request.operation).toBe(false)
    }
    for (const request of bodies) expect(signedDigestOf(request)).toMatch(digest)
  })

  it('has checksums of its bytes otherwise, in headers, and no framing either', async () => {
    const { requests, bodies } = await requestsWith('when_supported')
    for (const request of requests) expect(isFramed(request), request.operation).toBe(false)
    for (const request of bodies) {
      expect(checksumHeadersOf(request)).toContain('x-amz-checksum-crc32')
    }
  })

  it('signs its bytes themselves, too, unless the store has shown that it verifies checksums', async () => {
    const { bodies, verifies } = await requestsWith('when_supported')
    const [first, ...others] = bodies.map(signedDigestOf)
    expect(first).toMatch(digest)
    expect(others).toHaveLength(2)
    for (const other of others) expect(other).toMatch(verifies ? /^UNSIGNED-PAYLOAD$/ : digest)
  })

  it('that arrives with another byte fails, and leaves nothing', async () => {
    const { put, leftovers } = await storeWith('when_supported', (operation, nth, forward) =>
      operation === 'part' && nth === 1 ? forward(withAnotherByte) : forward(),
    )
    await put('good.json', Buffer.from('[]'))
    const failing = put('bad.json', patternBytes(9 * MiB))
    await expect(failing).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true })
    expect(await leftovers()).toEqual(['good.json'])
  })
})
