import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { ClientError } from '../errors.ts'
import { KiB } from '../runtime/units.ts'
import type { PartFile } from './part-file.ts'

/** Read and unpacked at once, bytes. */
const chunkSize = 256 * KiB

export interface UnpackOptions {
  readonly signal: AbortSignal
  /** Of what is packed, lower-case hex. */
  readonly sha256: string
}

/**
 * Unpacks a gzip file of one member or more into an empty part file.
 * @throws ClientError: DOWNLOAD_CORRUPT when it is no whole gzip file, or holds something else, or of the
 * target's file; the signal's reason
 */
export async function unpack(
  path: string,
  target: PartFile,
  { signal, sha256 }: UnpackOptions,
): Promise<void> {
  const hash = createHash('sha256')
  // a generator at the end would do, but pipeline hides its error behind an AbortError: Node 20
  const sink = new Writable({
    write(chunk: Uint8Array, _, done) {
      hash.update(chunk)
      target.append(chunk).then(() => done(), done)
    },
  })
  try {
    const source = createReadStream(path, { highWaterMark: chunkSize })
    await pipeline(source, createGunzip({ chunkSize }), sink, { signal })
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const { code = '' } = error as NodeJS.ErrnoException
    if (!code.startsWith('Z_')) throw error
    throw corrupt(`cannot be unpacked after ${target.bytes} bytes: ${error.message}.`, error)
  }
  const digest = hash.digest('hex')
  if (digest === sha256) return
  throw corrupt(`has ${target.bytes} bytes with SHA-256 ${digest} unpacked, not ${sha256}.`)
}

const corrupt = (what: string, cause?: Error) =>
  new ClientError('DOWNLOAD_CORRUPT', `The artifact ${what}`, {
    cause,
    hint: 'Its bytes are those of the record, so it was stored like that: request the export again.',
  })
