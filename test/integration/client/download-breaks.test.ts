import { readdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { lastingPort } from '../../support/lasting-port.ts'
import type { ExportView } from '../../../src/http/schemas.ts'
import { sha256 } from '../../support/chunks.ts'
import { answerError, answerWell, fakeEtag, type StoreAnswer } from '../../support/fake-store.ts'
import { setup } from './setup.ts'

/** Ends each of the first connections after so many bytes. */
const breaking =
  (body: () => Buffer, times: number, breakAfter = 10_000): StoreAnswer =>
  ({ number, offset }, response, well) => {
    if (number > times) well()
    else answerWell(response, body(), offset, { breakAfter })
  }

describe('a download whose connection breaks', () => {
  it('goes on behind the last byte of the same object, and ends with the right digest', async () => {
    const bundle = await setup({ answer: breaking(() => bundle.body, 3) })
    const { body, download, requests, file } = bundle
    expect(await download()).toEqual({ file, bytes: body.length, sha256: sha256(body) })
    expect((await bundle.text()).equals(body)).toBe(true)
    expect(await readdir(dirname(file))).toEqual(['mine.json'])
    const [first, ...others] = requests
    expect([first!.offset, first!.headers['if-match']]).toEqual([undefined, undefined])
    expect(others).toHaveLength(3)
    let last = 0
    for (const { offset, headers } of others) {
      expect(offset).toBeGreaterThan(last)
      last = offset!
      expect(headers['if-match']).toBe(fakeEtag)
    }
    // a body that was decoded on the way would have other offsets
    for (const { headers } of requests) {
      expect(headers['accept-encoding']).toMatch(/^identity(, identity)?$/)
    }
  })

  it('tells how many bytes are here after each piece', async () => {
    const bundle = await setup({ answer: breaking(() => bundle.body, 1) })
    const seen: number[] = []
    const totals = new Set<number>()
    await bundle.download({
      onProgress({ bytes, totalBytes }) {
        seen.push(bytes)
        totals.add(totalBytes)
      },
    })
    expect(seen).toEqual([...seen].sort((a, b) => a - b))
    expect(seen.at(-1)).toBe(bundle.body.length)
    expect([...totals]).toEqual([bundle.body.length])
  })

  it('goes on after a body that ends too early without saying so', async () => {
    const bundle = await setup({
      answer({ number, offset }, response, well) {
        if (number > 1) {
          well()
          return
        }
        response.writeHead(200, { etag: fakeEtag })
        response.end(bundle.body.subarray(offset ?? 0, 1000))
      },
    })
    await bundle.download()
    expect(bundle.requests.map(({ offset }) => offset)).toEqual([undefined, 1000])
  })

  it('goes on after a connection that fell silent, before its answer or in the middle of it', async () => {
    const bundle = await setup({
      answer({ number, offset }, response, well) {
        if (number === 1) return
        if (number > 2) {
          well()
          return
        }
        response.writeHead(200, { etag: fakeEtag, 'content-length': bundle.body.length })
        response.write(bundle.body.subarray(offset ?? 0, 1000))
      },
    })
    await bundle.download({ silenceMs: 1000 })
    expect(bundle.requests.map(({ offset }) => offset)).toEqual([undefined, undefined, 1000])
    expect((await bundle.text()).equals(bundle.body)).toBe(true)
  })

  it('goes on without If-Match where the store names no version, or a weak one', async () => {
    for (const etag of [undefined, 'W/"weak"']) {
      const bundle = await setup({
        answer({ number }, response, well) {
          if (number > 1) {
            well()
            return
          }
          response.writeHead(200, { ...(etag && { etag }), 'content-length': bundle.body.length })
          response.write(bundle.body.subarray(0, 1000), () => response.destroy())
        },
      })
      await bundle.download()
      expect(bundle.requests[1]!.offset).toBe(1000)
      expect(bundle.requests[1]!.headers['if-match']).toBeUndefined()
    }
  })

  it.each([429, 500, 502, 503, 504])('asks again after a %i', async (status) => {
    const { download, requests, text, body } = await setup({
      answer({ number }, response, well) {
        if (number > 2) well()
        else answerError(response, status, 'SlowDown')
      },
    })
    await download()
    expect(requests).toHaveLength(3)
    expect((await text()).equals(body)).toBe(true)
  })

  it('gives a store the time that it asks for', async () => {
    const { download } = await setup({
      answer({ number }, response, well) {
        if (number > 1) {
          well()
          return
        }
        response.setHeader('retry-after', '1')
        answerError(response, 503, 'SlowDown')
      },
    })
    const startedAt = performance.now()
    await download()
    expect(performance.now() - startedAt).toBeGreaterThan(990)
  })

  it('is given up after eight failures in a row without a new byte', async () => {
    const bundle = await setup({
      answer({ number, offset }, response) {
        if (number === 1) answerWell(response, bundle.body, offset, { breakAfter: 1000 })
        else answerError(response, 503, 'SlowDown')
      },
    })
    const error = await bundle.failure()
    expect(bundle.requests).toHaveLength(9)
    expect(error).toMatchObject({ code: 'DOWNLOAD_FAILED', retryable: true })
    expect(error.message).toBe(
      `The download of ${bundle.file} failed after 1000 of 300000 bytes: 8 times in a row without ` +
        `a new byte, at last because the object store answered 503 SlowDown: in other words.`,
    )
    expect(error.hint).toContain(`longhaul download ${bundle.id}`)
  })

  it('is not given up while every connection brings something, however often it breaks', async () => {
    const bundle = await setup({ answer: breaking(() => bundle.body, 20, 5000) })
    await bundle.download()
    expect(bundle.requests).toHaveLength(21)
    expect((await bundle.text()).equals(bundle.body)).toBe(true)
  })

  it('says why, where nothing answers at all', async () => {
    const nobody = `http://127.0.0.1:${await lastingPort()}/object`
    const view = (_: number, plain: ExportView) => ({
      ...plain,
      artifact: { ...plain.artifact!, url: nobody },
    })
    const { failure } = await setup({ view })
    expect((await failure()).message).toMatch(/after 0 of 300000 bytes: 8 times .*ECONNREFUSED/)
  })
})
