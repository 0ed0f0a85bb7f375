import { describe, expect, it, onTestFinished } from 'vitest'
import { MiB } from '../../../src/runtime/units.ts'
import { createArtifactStore } from '../../../src/s3/artifact-store.ts'
import { createTestBucket } from '../../support/bucket.ts'
import { chunksOf, patternBytes } from '../../support/chunks.ts'

const maxBytes = 12 * MiB

async function setup() {
  const bucket = await createTestBucket(onTestFinished)
  const { client, settings } = bucket
  const plan = () => ({ partBytes: 5 * MiB, maxBytes })
  const store = createArtifactStore({ client, bucket: settings.bucket, plan })
  const read = { chunks: 0 }
  async function* counted(bytes: number) {
    for await (const chunk of chunksOf(patternBytes(bytes))) {
      read.chunks++
      yield chunk
    }
  }
  const put = (bytes: number, estimatedBytes?: number) =>
    store.put('a.json', counted(bytes), {
      contentType: 'application/json',
      estimatedBytes,
      signal: new AbortController().signal,
    })
  const leftovers = async () => [...(await bucket.keys()), ...(await bucket.openUploads())]
  return { put, read, leftovers }
}

describe('an artifact', () => {
  it('that just fits the plan is stored', async () => {
    const { put } = await setup()
    expect(await put(maxBytes)).toMatchObject({ bytes: maxBytes })
  })

  it('that outgrows the plan fails for good, and leaves nothing', async () => {
    const { put, read, leftovers } = await setup()
    const rejected = expect(put(40 * MiB)).rejects
    await rejected.toMatchObject({ code: 'STORE_TOO_LARGE', retryable: false })
    await rejected.toThrow(`grows beyond ${maxBytes} bytes`)
    expect(read.chunks).toBe(13)
    expect(await leftovers()).toEqual([])
  })

  it('that is expected to be many times too large is not begun', async () => {
    const { put, read, leftovers } = await setup()
    const rejected = expect(put(1, 10 * maxBytes + 1)).rejects
    await rejected.toMatchObject({ code: 'STORE_TOO_LARGE', retryable: false })
    await rejected.toThrow('would have about 125829121 bytes')
    expect(read.chunks).toBe(0)
    expect(await leftovers()).toEqual([])
  })

  it('whose estimate may be wrong is tried', async () => {
    const { put } = await setup()
    expect(await put(1, 10 * maxBytes)).toMatchObject({ bytes: 1 })
  })
})
