import { expect, it, onTestFinished } from 'vitest'
import { MiB } from '../../../src/runtime/units.ts'
import { patternBytes } from '../../support/chunks.ts'
import { describeOnS3 } from '../../support/describe-on-s3.ts'
import { createMeddledStore } from '../../support/meddled-store.ts'
import { s3Error, type Meddle, type S3Answer, type S3Operation } from '../../support/s3-proxy.ts'

const sizes = [
  ['complete', patternBytes(9 * MiB)],
  ['put', Buffer.from('["S1"]')],
] as const

/** The store acts on the first request of this kind; its client hears `answers`, one after another. */
const actsButSays =
  (about: S3Operation, answers: readonly (S3Answer | undefined)[]): Meddle =>
  async (operation, nth, forward) => {
    if (operation !== about) return forward()
    if (nth === 1) await forward()
    return answers[Math.min(nth, answers.length) - 1]
  }

const saysOnly =
  (about: S3Operation, answer: S3Answer | undefined): Meddle =>
  (operation, _nth, forward) =>
    operation === about ? Promise.resolve(answer) : forward()

describeOnS3('the last request of a put', (endpoint) => {
  const ofEachSize = (meddle: (about: S3Operation) => Meddle) =>
    sizes.map(([about, bytes]) => ({ about, bytes, meddle: meddle(about) }))

  it.each([
    ['ends without an answer', ofEachSize((about) => actsButSays(about, [undefined]))],
    ['is answered by a gateway', ofEachSize((about) => actsButSays(about, [html(504)]))],
    [
      'fails in its answer',
      ofEachSize((about) => actsButSays(about, [s3Error(200, 'InternalError')])),
    ],
    [
      'is not known any more when it is repeated',
      [
        {
          about: 'complete',
          bytes: sizes[0][1],
          meddle: actsButSays('complete', [undefined, s3Error(404, 'NoSuchUpload')]),
        },
      ],
    ],
    [
      'is refused when it is repeated',
      ofEachSize((about) => actsButSays(about, [undefined, s3Error(403, 'AccessDenied')])),
    ],
  ] as const)('has stored the object, although it %s', async (_title, cases) => {
    for (const { about, bytes, meddle } of cases) {
      const { put, bucket, proxy } = await createMeddledStore(onTestFinished, meddle, {
        endpoint: await endpoint(),
      })
      const key = `${about}.json`
      expect(await put(key, bytes)).toMatchObject({ key, bytes: bytes.length })
      expect(proxy.count(about)).toBeGreaterThan(0)
      expect(await bucket.keys()).toEqual([key])
      expect(await bucket.openUploads()).toEqual([])
    }
  })

  it.each(sizes)('stores nothing when it does not arrive: %s', async (about, bytes) => {
    const { put, leftovers, proxy } = await createMeddledStore(
      onTestFinished,
      saysOnly(about, undefined),
      { endpoint: await endpoint() },
    )
    const failed = { code: 'STORE_UNAVAILABLE', retryable: true }
    await expect(put('a.json', bytes)).rejects.toMatchObject(failed)
    expect(proxy.count('head')).toBe(3)
    expect(await leftovers()).toEqual([])
  })

  it.each(sizes)('is looked for but once when it is refused: %s', async (about, bytes) => {
    const { put, leftovers, proxy } = await createMeddledStore(
      onTestFinished,
      saysOnly(about, s3Error(400, 'InvalidRequest')),
      { endpoint: await endpoint() },
    )
    await expect(put('a.json', bytes)).rejects.toMatchObject({ code: 'STORE_REJECTED' })
    expect(proxy.count('head')).toBe(1)
    expect(await leftovers()).toEqual([])
  })

  it.each(sizes)('is confirmed at another look where the first failed: %s', async (_, bytes) => {
    // as often as the SDK tries
    const meddle: Meddle = (operation, nth, forward) =>
      operation === 'head' && nth <= 3 ? Promise.resolve(html(502)) : forward()
    const { put, bucket } = await createMeddledStore(onTestFinished, meddle, {
      endpoint: await endpoint(),
    })
    expect(await put('a.json', bytes)).toMatchObject({ bytes: bytes.length })
    expect(await bucket.keys()).toEqual(['a.json'])
  })

  it('shows later, when the store is still at it after its answer was lost', async () => {
    let heads = 0
    const meddle: Meddle = async (operation, _nth, forward) => {
      if (operation === 'complete') return html(504)
      if (operation !== 'head' || ++heads < 3) return forward()
      await late()
      return forward()
    }
    const { put, bucket } = await createMeddledStore(onTestFinished, meddle, {
      endpoint: await endpoint(),
    })
    const late = () => bucket.putObject('a.json', sizes[0][1])
    expect(await put('a.json', sizes[0][1])).toMatchObject({ bytes: 9 * MiB })
  })

  it('does not pass another object off as its own', async () => {
    const { put, bucket, leftovers } = await createMeddledStore(
      onTestFinished,
      saysOnly('complete', undefined),
      { endpoint: await endpoint() },
    )
    await bucket.putObject('a.json', Buffer.from('["S2"]'))
    await expect(put('a.json', sizes[0][1])).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(await leftovers()).toEqual([])
  })
})

const html = (status: number): S3Answer => ({
  status,
  headers: { 'content-type': 'text/html' },
  body: '<html><body>The gateway is tired.</body></html>',
})
