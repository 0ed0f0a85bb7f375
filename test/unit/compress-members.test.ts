import { setImmediate } from 'node:timers/promises'
import { promisify } from 'node:util'
import { gunzipSync, gzip as gzipCallback, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { compressMembers } from '../../src/encode/compress-members.ts'
import { chunksOf, collect, patternBytes } from '../support/chunks.ts'
import { createDice } from '../support/dice.ts'

const memberBytes = 1000
const options = { memberBytes, parallel: 3 }
const gzip = promisify(gzipCallback)

async function* each(chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  for (const chunk of chunks) yield await Promise.resolve(chunk)
}

/** Ends each member with a mark, once it is told to. */
function slowCompress() {
  const waiting: (() => void)[] = []
  const finished: number[] = []
  let begun = 0
  return {
    finished,
    begun: () => begun,
    finishLast: () => waiting.pop()?.(),
    compress: async (bytes: Uint8Array) => {
      const number = begun++
      const copy = Buffer.concat([bytes, Buffer.from('|')])
      await new Promise<void>((resolve) => waiting.push(resolve))
      finished.push(number)
      return copy
    },
  }
}

describe('members', () => {
  it.each([1, 999, 1000, 1001, 2000, 3999, 10_500])(
    'of %i bytes are, unpacked one after the other, those bytes',
    async (length) => {
      const bytes = patternBytes(length)
      const packed = await collect(compressMembers(chunksOf(bytes, 300), gzip, options))
      expect(gunzipSync(packed).equals(bytes)).toBe(true)
    },
  )

  it('are cut at the same bytes however the chunks come', async () => {
    const dice = createDice(1)
    const bytes = patternBytes(12_345)
    const members = Array.from({ length: 13 }, (_, n) =>
      gzipSync(bytes.subarray(n * memberBytes, (n + 1) * memberBytes)),
    )
    for (let round = 0; round < 20; round++) {
      const chunks: Buffer[] = []
      for (let at = 0; at < bytes.length;) {
        const size = dice.between(0, 2500)
        chunks.push(bytes.subarray(at, at + size))
        at += size
      }
      const packed = await collect(compressMembers(each(chunks), gzip, options))
      expect(packed.equals(Buffer.concat(members))).toBe(true)
    }
  })

  it('come in their order, whichever is ready first, and so many at once', async () => {
    const slow = slowCompress()
    const bytes = patternBytes(5500)
    const collecting = collect(compressMembers(chunksOf(bytes, 5500), slow.compress, options))
    while (slow.begun() < 3) await setImmediate()
    // it would have begun the fourth by now
    for (let turn = 0; turn < 10; turn++) await setImmediate()
    expect(slow.begun()).toBe(3)
    while (slow.finished.length < 6) {
      slow.finishLast()
      await setImmediate()
    }
    expect(slow.finished).not.toEqual([0, 1, 2, 3, 4, 5])
    const text = await collecting
    const parts = [0, 1, 2, 3, 4, 5].map((n) => bytes.subarray(n * 1000, (n + 1) * 1000))
    const marked = parts.flatMap((part) => [part, Buffer.from('|')])
    expect(text.equals(Buffer.concat(marked))).toBe(true)
  })

  it('end with what the source fails with', async () => {
    async function* failing() {
      yield* chunksOf(patternBytes(2500), 500)
      throw new Error('no more')
    }
    await expect(collect(compressMembers(failing(), gzip, options))).rejects.toThrow('no more')
  })

  it('end with what packing fails with, though others fail after it', async () => {
    const failing = () => Promise.reject(new Error('out of memory'))
    const packing = collect(compressMembers(chunksOf(patternBytes(9000)), failing, options))
    await expect(packing).rejects.toThrow('out of memory')
  })

  it('close the source when nobody wants them any more', async () => {
    let closed = false
    async function* source() {
      try {
        for (;;) yield* chunksOf(patternBytes(1000))
      } finally {
        closed = true
      }
    }
    for await (const member of compressMembers(source(), gzip, options)) {
      expect(member.length).toBeGreaterThan(0)
      break
    }
    expect(closed).toBe(true)
  })
})
