import { setImmediate } from 'node:timers/promises'
import { S3ServiceException, UploadPartCommand } from '@aws-sdk/client-s3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { MiB } from '../../../src/runtime/units.ts'
import { createArtifactStore } from '../../../src/s3/artifact-store.ts'
import { createTestBucket } from '../../support/bucket.ts'
import { patternBytes } from '../../support/chunks.ts'
import { aborted } from '../../support/deferred.ts'
import { interceptedClient, type Intercept } from '../../support/intercepted-client.ts'

const block = patternBytes(MiB)
const options = () => ({
  contentType: 'application/json',
  signal: new AbortController().signal,
})

const answer = (name: string, httpStatusCode: number) =>
  new S3ServiceException({
    name,
    message: 'a part that fails',
    $fault: 'server',
    $metadata: { httpStatusCode },
  })

const partNumber = (command: unknown) =>
  command instanceof UploadPartCommand ? command.input.PartNumber : undefined

async function setup(intercept: Intercept) {
  const bucket = await createTestBucket(onTestFinished)
  const client = interceptedClient(bucket.client, intercept)
  const source = { chunks: 0, closed: false }
  // has no end: a put that read on would never return
  async function* endless() {
    try {
      for (;;) {
        await setImmediate()
        source.chunks++
        yield block
      }
    } finally {
      source.closed = true
    }
  }
  return {
    store: createArtifactStore({ client, bucket: bucket.settings.bucket }),
    source,
    endless,
    leftovers: async () => [...(await bucket.keys()), ...(await bucket.openUploads())],
  }
}

describe('a part that fails in mid-upload', () => {
  it.each([
    [1, answer('InternalError', 500), 'STORE_UNAVAILABLE'],
    [3, answer('InternalError', 500), 'STORE_UNAVAILABLE'],
    [6, answer('SlowDown', 503), 'STORE_SLOW_DOWN'],
    [3, answer('AccessDenied', 403), 'STORE_DENIED'],
    [3, new Error('socket hang up'), 'STORE_UNAVAILABLE'],
  ])('ends the upload and its source: part %i, %s', async (part, error, code) => {
    let failures = 0
    const { store, source, endless, leftovers } = await setup((command) =>
      partNumber(command) === part && failures++ === 0 ? Promise.reject(error) : undefined,
    )
    const put = store.put('a.json', endless(), options())
    await expect(put).rejects.toMatchObject({ code, cause: error })
    expect(source.closed).toBe(true)
    // the parts before it, those in flight beside it, and what the stream had buffered
    expect(source.chunks * MiB).toBeLessThanOrEqual((part + 5) * 8 * MiB)
    expect(await leftovers()).toEqual([])
  })

  it('ends the parts in flight beside it', async () => {
    const inFlight = new Set<number>()
    const { store, endless } = await setup((command, { abortSignal }) => {
      const part = partNumber(command)
      if (part === undefined) return undefined
      if (part === 2) return Promise.reject(answer('InternalError', 500))
      // the others would never be answered
      inFlight.add(part)
      return aborted(abortSignal!).finally(() => inFlight.delete(part))
    })
    const put = store.put('a.json', endless(), options())
    await expect(put).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect([...inFlight]).toEqual([])
  })
})
