import zlib, { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { canCompress, compress } from '../../src/encode/compression.ts'
import { EncodeError } from '../../src/errors.ts'
import { parseExportRequest } from '../../src/export/spec.ts'
import { MiB } from '../../src/runtime/units.ts'
import { chunksOf, collect, patternBytes } from '../support/chunks.ts'

/** Node 22.15 and newer have it; `.ci/run` runs this file on one of them, too. */
const { zstdDecompressSync: unpackZstd } = zlib as {
  zstdDecompressSync?: (bytes: Buffer) => Buffer
}
const content = patternBytes(5 * MiB)
const request = (compression: string) =>
  parseExportRequest({ time_from: '2014-07-22T12:00:00Z', compression })

/** What every way of packing does. */
function packsWell(compression: 'gzip' | 'zstd', unpack: (packed: Buffer) => Buffer) {
  const pack = (chunkBytes: number, bytes = content) =>
    collect(compress(chunksOf(bytes, chunkBytes), compression))

  it('is accepted', () => {
    expect(canCompress(compression)).toBe(true)
    expect(request(compression).compression).toBe(compression)
  })

  it('gives the same bytes again, unpacked', async () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('[]'), content]) {
      expect(unpack(await pack(MiB, bytes)).equals(bytes)).toBe(true)
    }
  })

  it('packs the same bytes alike, however they come', async () => {
    const packed = await Promise.all([1000, 65_537, MiB, 5 * MiB].map((size) => pack(size)))
    for (const other of packed) expect(other.equals(packed[0]!)).toBe(true)
  })

  it('ends with what the source fails with', async () => {
    async function* failing() {
      yield* chunksOf(content)
      throw new Error('no more')
    }
    await expect(collect(compress(failing(), compression))).rejects.toThrow('no more')
  })

  it('closes the source when nobody wants it any more', async () => {
    let closed = false
    async function* source() {
      try {
        for (;;) yield* chunksOf(content)
      } finally {
        closed = true
      }
    }
    for await (const chunk of compress(source(), compression)) {
      expect(chunk.length).toBeGreaterThan(0)
      break
    }
    await expect.poll(() => closed).toBe(true)
  })
}

describe('gzip', () => {
  packsWell('gzip', gunzipSync)

  it('has no time of its own', async () => {
    // MTIME of RFC 1952
    expect((await collect(compress(chunksOf(content), 'gzip'))).readUInt32LE(4)).toBe(0)
  })
})

describe.runIf(unpackZstd !== undefined)('zstd, where Node has it', () => {
  // this one stops behind the first frame
  packsWell('zstd', (packed) => unpackZstd!(packed))

  it('has a checksum', async () => {
    const packed = await collect(compress(chunksOf(content), 'zstd'))
    // of RFC 8878, section 3.1.1.1.1: the descriptor behind the magic number, its bit 2
    expect(packed[4]! & 4).toBe(4)
  })
})

describe.runIf(unpackZstd === undefined)('zstd, where Node has it not', () => {
  it('is refused, and what would do is named', () => {
    expect(canCompress('zstd')).toBe(false)
    expect(() => request('zstd')).toThrow(
      `compression: expected "none" or "gzip", got "zstd": zstd needs Node 22.15, 23.8 or newer, and this is ${process.versions.node}.`,
    )
  })

  it('fails on the worker, for good, and says what to do', () => {
    expect(() => compress(chunksOf(content), 'zstd')).toThrow(EncodeError)
    expect(() => compress(chunksOf(content), 'zstd')).toThrow(/zstd needs Node 22.15/)
  })
})
