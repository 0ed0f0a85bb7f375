import { setTimeout } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { MiB } from '../../../src/runtime/units.ts'
import { patternBytes } from '../../support/chunks.ts'
import { describeOnS3 } from '../../support/describe-on-s3.ts'
import { createMeddledStore } from '../../support/meddled-store.ts'
import { s3Error, type Meddle, type S3Answer } from '../../support/s3-proxy.ts'

const bytes = patternBytes(9 * MiB)
const repeatMs = 500
const never = () => new Promise<never>(() => undefined)

/** What becomes of each request for the completion, one after another. */
const completions =
  (...fates: readonly ((forward: () => Promise<S3Answer>) => Promise<S3Answer>)[]): Meddle =>
  (operation, nth, forward) =>
    operation === 'complete' ? fates[Math.min(nth, fates.length) - 1]!(forward) : forward()

describeOnS3('a completion that is not answered', (endpoint) => {
  async function expectStored(meddle: Meddle) {
    const options = { endpoint: await endpoint(), deps: { repeatMs } }
    const { put, bucket, proxy } = await createMeddledStore(onTestFinished, meddle, options)
    expect(await put('a.json', bytes)).toMatchObject({ bytes: bytes.length })
    expect(await bucket.keys()).toEqual(['a.json'])
    expect(await bucket.openUploads()).toEqual([])
    return proxy
  }

  it('because it never arrived, is asked for again', async () => {
    const proxy = await expectStored(completions(never, never, (forward) => forward()))
    expect(proxy.count('complete')).toBe(3)
  })

  it('because the answer was lost, is asked for again; that the upload has gone, says enough', async () => {
    const lost = async (forward: () => Promise<S3Answer>) => {
      await forward()
      return never()
    }
    await expectStored(completions(lost, () => Promise.resolve(s3Error(404, 'NoSuchUpload'))))
    await expectStored(completions(lost, (forward) => forward()))
  })

  it('because the store is at it yet, is waited for, whatever it says of the repetition', async () => {
    const slow = async (forward: () => Promise<S3Answer>) => {
      await setTimeout(3 * repeatMs)
      return forward()
    }
    const busy = () => Promise.resolve(s3Error(409, 'OperationAborted'))
    const proxy = await expectStored(completions(slow, busy))
    expect(proxy.count('complete')).toBeGreaterThan(1)
  })

  it('and asked for by many at once, makes one object', async () => {
    const slow = async (forward: () => Promise<S3Answer>) => {
      const answer = await forward()
      await setTimeout(3 * repeatMs)
      return answer
    }
    await expectStored(completions(slow))
  })
})

describe('a completion', () => {
  it('comes on a connection of its own: one that was kept may be dead', async () => {
    const forwards: Meddle = (_operation, _nth, forward) => forward()
    const { put, proxy } = await createMeddledStore(onTestFinished, forwards)
    await put('a.json', bytes)
    const headers = (operation: string) =>
      proxy.requests.find((request) => request.operation === operation)?.headers
    expect(headers('complete')).toMatchObject({ connection: 'close' })
    expect(headers('part')).toMatchObject({ connection: 'keep-alive' })
  })

  it('is not asked for again once the put is aborted', async () => {
    const cancel = new AbortController()
    const meddle = completions(() => {
      cancel.abort(new Error('canceled'))
      return never()
    })
    const { put, proxy, leftovers } = await createMeddledStore(onTestFinished, meddle, {
      deps: { repeatMs: 100 },
    })
    await expect(put('a.json', bytes, cancel.signal)).rejects.toThrow('canceled')
    expect(proxy.count('complete')).toBe(1)
    expect(await leftovers()).toEqual([])
  })
})
