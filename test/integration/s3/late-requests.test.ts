import { setTimeout } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { CanceledError, SourceError } from '../../../src/errors.ts'
import { MiB } from '../../../src/runtime/units.ts'
import { chunksOf, patternBytes } from '../../support/chunks.ts'
import { deferred } from '../../support/deferred.ts'
import { describeOnS3 } from '../../support/describe-on-s3.ts'
import { createMeddledStore } from '../../support/meddled-store.ts'
import { s3Error, type Meddle, type S3Operation } from '../../support/s3-proxy.ts'
import { until } from '../../support/until.ts'

const bytes = patternBytes(9 * MiB)
const reason = new CanceledError('x')
const endsWithinMs = 2000
/** What a store takes its time with. */
const requests = [
  ['complete', bytes],
  ['create', bytes],
  ['put', Buffer.from('[]')],
] as const

describeOnS3('an abort', (endpoint) => {
  /** Aborts a put at the moment when its request of this kind comes; the store acts on it after `pause`. */
  async function abortDuring(
    about: S3Operation,
    body: Buffer,
    { pause, settleMs }: { pause: () => Promise<void>; settleMs?: number },
  ) {
    const controller = new AbortController()
    let abortedAt = Infinity
    let handled = false
    const meddle: Meddle = async (operation, _nth, forward) => {
      if (operation !== about) return forward()
      abortedAt = performance.now()
      controller.abort(reason)
      await pause()
      const answer = await forward()
      // a store that had all that it needs does not mind that the upload is gone, nor its client
      if (about === 'complete') await made.bucket.putObject('a.json', Buffer.from('[]'))
      handled = true
      return answer
    }
    const made = await createMeddledStore(onTestFinished, meddle, {
      endpoint: await endpoint(),
      deps: settleMs === undefined ? {} : { settleMs },
    })
    await expect(made.put('a.json', body, controller.signal)).rejects.toBe(reason)
    return { ...made, tookMs: performance.now() - abortedAt, handled: () => handled }
  }

  it.each(requests)('leaves nothing when the store is soon done: %s', async (about, body) => {
    const pause = () => setTimeout(300)
    const { handled, leftovers } = await abortDuring(about, body, { pause, settleMs: 30_000 })
    expect(handled()).toBe(true)
    expect(await leftovers()).toEqual([])
  })

  it.each(requests)('leaves nothing when the store is done later: %s', async (about, body) => {
    const { promise, resolve } = deferred()
    const pause = () => promise
    const { handled, leftovers } = await abortDuring(about, body, { pause, settleMs: 10 })
    resolve()
    await until(handled, { what: 'the store to be done' })
    await until(async () => (await leftovers()).length === 0, { what: 'the store to be clean' })
  })

  it('ends the put, and the store, whose completion is never answered', async () => {
    const { promise, resolve } = deferred()
    onTestFinished(() => resolve())
    const { store, proxy, tookMs } = await abortDuring('complete', bytes, { pause: () => promise })
    expect(tookMs).toBeLessThan(endsWithinMs)
    const closedFrom = performance.now()
    await store.close()
    expect(performance.now() - closedFrom).toBeLessThan(endsWithinMs)
    // cleaned once more, as far as that goes
    expect(proxy.count('delete')).toBe(2)
    const completion = proxy.requests.find(({ operation }) => operation === 'complete')!
    await until(() => !completion.isWaitedFor(), { what: 'the client to be gone' })
  })
})

describeOnS3('an upload', (endpoint) => {
  const firstAnswerLost: Meddle = async (operation, nth, forward) => {
    if (operation !== 'create' || nth > 1) return forward()
    await forward()
    return undefined
  }

  it('that was begun twice, as the first answer was lost, is open no more after the put', async () => {
    const { put, bucket, proxy } = await createMeddledStore(onTestFinished, firstAnswerLost, {
      endpoint: await endpoint(),
    })
    expect(await put('a.json', bytes)).toMatchObject({ bytes: bytes.length })
    expect(proxy.count('create')).toBe(2)
    expect(await bucket.keys()).toEqual(['a.json'])
    expect(await bucket.openUploads()).toEqual([])
  })

  it('that was begun twice does not fail the put when it cannot be found', async () => {
    const meddle: Meddle = (operation, ...rest) =>
      operation === 'uploads'
        ? Promise.resolve(s3Error(403, 'AccessDenied'))
        : firstAnswerLost(operation, ...rest)
    const { put, bucket, store, failedCleanups } = await createMeddledStore(
      onTestFinished,
      meddle,
      { endpoint: await endpoint() },
    )
    expect(await put('a.json', bytes)).toMatchObject({ bytes: bytes.length })
    expect(failedCleanups).toEqual(['a.json'])
    expect(await store.stat('a.json')).toBeDefined()
    // for the sweep
    expect(await bucket.openUploads()).toEqual(['a.json'])
  })

  it('that was begun once costs no listing', async () => {
    const { put, proxy } = await createMeddledStore(
      onTestFinished,
      (_o, _n, forward) => forward(),
      {
        endpoint: await endpoint(),
      },
    )
    await put('a.json', bytes)
    expect(proxy.count('uploads')).toBe(0)
  })
})

describeOnS3('cleaning up', (endpoint) => {
  async function* failing() {
    yield* chunksOf(bytes)
    throw new SourceError('SOURCE_UNAVAILABLE', 'the connection was lost')
  }
  const options = () => ({
    contentType: 'application/json',
    signal: new AbortController().signal,
  })

  it.each([1, 2, 3, 4])('repeats an abort that left the upload there: %i times', async (times) => {
    const meddle: Meddle = (operation, nth, forward) =>
      operation === 'abort' && nth <= times ? Promise.resolve({ status: 204, body: '' }) : forward()
    const { store, leftovers, failedCleanups } = await createMeddledStore(onTestFinished, meddle, {
      endpoint: await endpoint(),
    })
    await expect(store.put('a.json', failing(), options())).rejects.toThrow('was lost')
    expect(await leftovers()).toEqual([])
    expect(failedCleanups).toEqual([])
  })

  it('aborts the upload that it knows where listing uploads is refused, and tells of it', async () => {
    const meddle: Meddle = (operation, nth, forward) => {
      if (operation === 'uploads') return Promise.resolve(s3Error(403, 'AccessDenied'))
      // a part that lands afterwards
      if (operation === 'abort' && nth === 1) return Promise.resolve({ status: 204, body: '' })
      return forward()
    }
    const { store, leftovers, failedCleanups } = await createMeddledStore(onTestFinished, meddle, {
      endpoint: await endpoint(),
    })
    await expect(store.put('a.json', failing(), options())).rejects.toThrow('was lost')
    expect(await leftovers()).toEqual([])
    expect(failedCleanups).toEqual(['a.json'])
  })
})
