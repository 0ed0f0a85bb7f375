import { expect, it, onTestFinished } from 'vitest'
import { MiB } from '../../../src/runtime/units.ts'
import { patternBytes } from '../../support/chunks.ts'
import { describeOnS3 } from '../../support/describe-on-s3.ts'
import { createMeddledStore } from '../../support/meddled-store.ts'
import type { SeenRequest } from '../../support/s3-proxy.ts'

/** Whatever a store would have to know of the newer checksums. */
const checksumHeadersOf = ({ headers }: SeenRequest) =>
  Object.keys(headers).filter((name) => /^x-amz-(checksum|sdk-checksum|trailer)/.test(name))

/** Framing of the body that a store which does not know it would keep as a part of the object. */
const isFramed = ({ headers }: SeenRequest) =>
  headers['transfer-encoding'] !== undefined ||
  /aws-chunked/.test(headers['content-encoding'] ?? '') ||
  /^STREAMING-/.test(String(headers['x-amz-content-sha256'])) ||
  headers['x-amz-decoded-content-length'] !== undefined

describeOnS3('an upload', (endpoint) => {
  /** Everything the store does for an artifact, small and large. */
  async function requestsWith(checksums: 'when_supported' | 'when_required') {
    const { put, store, bucket, proxy } = await createMeddledStore(
      onTestFinished,
      (_operation, _nth, forward) => forward(),
      { endpoint: await endpoint(), settings: { checksums } },
    )
    for (const bytes of [Buffer.from('["S1"]'), patternBytes(9 * MiB)]) {
      const key = `${bytes.length}.json`
      expect(await put(key, bytes)).toMatchObject({ bytes: bytes.length })
      await store.remove(key)
    }
    expect(await bucket.keys()).toEqual([])
    const all = ['put', 'create', 'part', 'complete', 'head', 'uploads', 'delete'] as const
    for (const operation of all) expect(proxy.count(operation), operation).toBeGreaterThan(0)
    return proxy.requests
  }

  it('with S3_CHECKSUMS=when_required has no header of a checksum, and no framing', async () => {
    for (const request of await requestsWith('when_required')) {
      expect(checksumHeadersOf(request), request.operation).toEqual([])
      expect(isFramed(request), request.operation).toBe(false)
    }
  })

  it('has checksums of its bytes otherwise, in headers, and no framing either', async () => {
    const requests = await requestsWith('when_supported')
    for (const request of requests) expect(isFramed(request), request.operation).toBe(false)
    for (const request of requests.filter(({ operation }) => /^(put|part)$/.test(operation))) {
      expect(checksumHeadersOf(request)).toContain('x-amz-checksum-crc32')
    }
  })
})
