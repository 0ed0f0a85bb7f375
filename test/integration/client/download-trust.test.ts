import { describe, expect, it } from 'vitest'
import { sha256 } from '../../support/chunks.ts'
import { answerError, answerWell, fakeEtag, type StoreAnswer } from '../../support/fake-store.ts'
import { setup } from './setup.ts'

/** Breaks the first answer after 1000 bytes, then answers as told. */
const afterABreak =
  (body: () => Buffer, answer: StoreAnswer): StoreAnswer =>
  (request, response, well) => {
    if (request.number > 1) answer(request, response, well)
    else answerWell(response, body(), undefined, { breakAfter: 1000 })
  }

const offsets = ({ requests }: Awaited<ReturnType<typeof setup>>) =>
  requests.map(({ offset }) => offset)

describe('a download does not trust a store that', () => {
  it('answers a range with the whole: it begins again with that body', async () => {
    const bundle = await setup({
      answer: afterABreak(
        () => bundle.body,
        (_, response) => answerWell(response, bundle.body, undefined),
      ),
    })
    await bundle.download()
    expect((await bundle.text()).equals(bundle.body)).toBe(true)
    expect(offsets(bundle)).toEqual([undefined, 1000])
  })

  it('answers ranges with the whole and never comes to its end', async () => {
    const bundle = await setup({
      answer: (_, response) => answerWell(response, bundle.body, undefined, { breakAfter: 1000 }),
    })
    const error = await bundle.failure()
    expect(error.code).toBe('DOWNLOAD_FAILED')
    expect(error.message).toContain('had to start again 4 times')
    expect(bundle.requests.length).toBeLessThan(9)
  })

  it.each([
    ['begins elsewhere', 'bytes 999-299999/300000'],
    ['has another total', 'bytes 1000-299999/300001'],
    ['has no total', 'bytes 1000-299999/*'],
    ['makes no sense', 'bytes'],
    ['is missing', undefined],
  ])('sends a range that %s: it begins again without ranges', async (_, range) => {
    const bundle = await setup({
      answer: afterABreak(
        () => bundle.body,
        ({ number, offset }, response, well) => {
          if (number === 3) {
            answerWell(response, bundle.body, offset, { breakAfter: 1000 })
            return
          }
          if (offset === undefined) {
            well()
            return
          }
          response.writeHead(206, { etag: fakeEtag, ...(range && { 'content-range': range }) })
          response.end(bundle.body.subarray(1000))
        },
      ),
    })
    await bundle.download()
    expect((await bundle.text()).equals(bundle.body)).toBe(true)
    expect(offsets(bundle)).toEqual([undefined, 1000, undefined, undefined])
  })

  it('sends the rest of another object, whatever If-Match asked for', async () => {
    const bundle = await setup({
      answer: afterABreak(
        () => bundle.body,
        ({ offset }, response, well) => {
          if (offset === undefined) {
            well()
            return
          }
          const range = `bytes ${offset}-299999/300000`
          response.writeHead(206, { etag: '"another"', 'content-range': range })
          response.end(bundle.body.subarray(offset))
        },
      ),
    })
    await bundle.download()
    expect(offsets(bundle)).toEqual([undefined, 1000, undefined])
  })

  it.each([412, 416])('answers a range with %i: it begins again from zero', async (status) => {
    const bundle = await setup({
      answer: afterABreak(
        () => bundle.body,
        ({ offset }, response, well) => {
          if (offset === undefined) well()
          else answerError(response, status, 'Whatever')
        },
      ),
    })
    await bundle.download()
    expect((await bundle.text()).equals(bundle.body)).toBe(true)
    expect(offsets(bundle)).toEqual([undefined, 1000, undefined])
  })

  it('changes the object again and again', async () => {
    const bundle = await setup({
      answer({ offset }, response) {
        if (offset === undefined) {
          answerWell(response, bundle.body, undefined, { breakAfter: 1000 })
        } else answerError(response, 412, 'PreconditionFailed')
      },
    })
    const error = await bundle.failure()
    expect(error.code).toBe('DOWNLOAD_FAILED')
    expect(error.message).toContain('412 PreconditionFailed')
    expect(bundle.requests).toHaveLength(8)
  })

  it('sends pieces that do not make the artifact: it begins again once, without ranges', async () => {
    const bundle = await setup({
      answer: afterABreak(
        () => bundle.body,
        ({ number, offset }, response, well) => {
          if (number > 2) {
            well()
            return
          }
          answerWell(response, Buffer.alloc(bundle.body.length, 'x'), offset)
        },
      ),
    })
    await bundle.download()
    expect((await bundle.text()).equals(bundle.body)).toBe(true)
    expect(offsets(bundle)).toEqual([undefined, 1000, undefined])
  })

  it('has other bytes of the same size, and says which', async () => {
    const other = Buffer.alloc(300_000, 'x')
    const bundle = await setup({ answer: (_, response) => answerWell(response, other, undefined) })
    const error = await bundle.failure()
    expect(error).toMatchObject({ code: 'DOWNLOAD_CORRUPT', retryable: true })
    expect(error.message).toContain(sha256(other))
    expect(error.message).toContain(sha256(bundle.body))
    expect(bundle.requests).toHaveLength(1)
  })

  it('announces another size: not a byte of it is written', async () => {
    const bundle = await setup({
      answer: (_, response) => answerWell(response, Buffer.alloc(300_001), undefined),
    })
    const seen: number[] = []
    const error = await bundle.failure({ onProgress: ({ bytes }) => seen.push(bytes) })
    expect(error.code).toBe('DOWNLOAD_CORRUPT')
    expect(error.message).toContain('has 300001 bytes, but the artifact has 300000')
    expect(seen).toEqual([])
  })

  it('sends more than the artifact has: the disk is not filled', async () => {
    let closed = false
    const bundle = await setup({
      body: Buffer.alloc(1000),
      answer(_, response) {
        response.writeHead(200)
        response.on('close', () => (closed = true))
        const pour = () => {
          while (!closed && response.write(Buffer.alloc(64_000)));
        }
        response.on('drain', pour)
        pour()
      },
    })
    const error = await bundle.failure()
    expect(error.code).toBe('DOWNLOAD_CORRUPT')
    expect(error.message).toContain('more than 1000 bytes')
    await expect.poll(() => closed).toBe(true)
  })

  it('encodes what nobody asked to be encoded', async () => {
    const bundle = await setup({
      answer(_, response) {
        response.writeHead(200, { 'content-encoding': 'gzip' })
        response.end('whatever')
      },
    })
    const error = await bundle.failure()
    expect(error.code).toBe('DOWNLOAD_FAILED')
    expect(error.message).toContain('encoded as gzip')
  })
})
