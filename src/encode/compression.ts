import { pipeline, Readable, type Transform } from 'node:stream'
import { promisify } from 'node:util'
import zlib from 'node:zlib'
import { EncodeError } from '../errors.ts'
import { KiB } from '../runtime/units.ts'
import { compressMembers } from './compress-members.ts'
import { cutBytes } from './cut-bytes.ts'

/** How the stored object is packed. */
export const compressions = ['none', 'gzip', 'zstd'] as const
export type Compression = (typeof compressions)[number]

/** What is added to a file's name, and the type of what is packed. */
interface Packing {
  readonly suffix: string
  readonly contentType?: string
}

/**
 * A store that sent Content-Encoding would make some clients unpack, and keep the name that says they
 * had not (nextstrain/ncov#686, fluent-bit#3676).
 */
export const artifactPackings: Readonly<Record<Compression, Packing>> = {
  none: { suffix: '' },
  gzip: { suffix: '.gz', contentType: 'application/gzip' },
  // RFC 8878
  zstd: { suffix: '.zst', contentType: 'application/zstd' },
}

interface ZstdOptions {
  readonly chunkSize: number
  readonly params: Readonly<Record<number, number>>
}

/** Absent from the oldest Node that Longhaul runs on, and so from the types. */
const { createZstdCompress, createZstdDecompress } = zlib as unknown as {
  readonly createZstdCompress?: (options: ZstdOptions) => Transform
  readonly createZstdDecompress?: (options: { readonly chunkSize: number }) => Transform
}

/** Whether this Node can pack so. */
export const canCompress = (compression: Compression): boolean =>
  compression !== 'zstd' || createZstdCompress !== undefined

/** Why it cannot, and what would. */
export const zstdNeeds = `zstd needs Node 22.15, 23.8 or newer, and this is ${process.versions.node}`

/**
 * Packs bytes; the same ones, however they come, give the same on the same version of Node.
 * @throws EncodeError when this Node cannot pack so
 */
export function compress(
  chunks: AsyncIterable<Buffer>,
  compression: Exclude<Compression, 'none'>,
): AsyncIterable<Buffer> {
  if (compression === 'gzip') return compressMembers(chunks, gzipMember)
  if (createZstdCompress === undefined) {
    throw new EncodeError(`The worker cannot make a zstd artifact: ${zstdNeeds}.`, {
      hint: 'Run the worker on a newer Node, or request the export with compression gzip.',
    })
  }
  // gzip has a checksum anyway, zstd on demand
  const params = { [zstdChecksumFlag]: 1 }
  return through(chunks, createZstdCompress({ chunkSize: outputBytes, params }))
}

/** What is packed cannot be unpacked: it was cut, or altered. */
export class UnpackError extends Error {}

/** Unpacks what `compress` has packed. @throws UnpackError, EncodeError when this Node cannot unpack so, what `chunks` throws */
export async function* decompress(
  chunks: AsyncIterable<Buffer>,
  compression: Compression,
): AsyncGenerator<Buffer> {
  if (compression === 'none') {
    yield* chunks
    return
  }
  const options = { chunkSize: outputBytes }
  const unpacking =
    compression === 'gzip' ? zlib.createGunzip(options) : createZstdDecompress?.(options)
  if (unpacking === undefined) {
    throw new EncodeError(`A zstd artifact cannot be unpacked: ${zstdNeeds}.`, {
      hint: 'Use a newer Node.',
    })
  }
  try {
    yield* through(chunks, unpacking)
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (error instanceof Error && /^(Z_|ZSTD_)/.test(code)) throw new UnpackError(error.message)
    throw error
  }
}

/** One buffer for what comes out, mostly. */
const outputBytes = 256 * KiB

/** Within 3 % of the size that `gzip -6` makes, at two thirds of the time of level 6 (docs/performance.md). */
const gzipLevel = 5

const gzip = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gzip)
const gzipMember = (bytes: Uint8Array) => gzip(bytes, { level: gzipLevel, chunkSize: outputBytes })

/** What zstd is given at once: it cuts its blocks where that ends. */
const pieceBytes = 256 * KiB

/** ZSTD_c_checksumFlag of zstd.h, part of its stable interface. */
const zstdChecksumFlag = 201

/**
 * One frame, by one thread, which is quick enough: behind the first frame many a reader stops without a word,
 * zlib of Node and zstandard of Python among them.
 */
async function* through(
  chunks: AsyncIterable<Buffer>,
  transform: Transform,
): AsyncGenerator<Buffer> {
  // what fails ends the other, too, and is thrown by the one that is read
  pipeline(Readable.from(cutBytes(chunks, pieceBytes)), transform, () => undefined)
  for await (const chunk of transform) yield chunk as Buffer
}
