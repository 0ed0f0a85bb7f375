import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { link, open, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { BlobRef } from './records.ts'
import { KiB, MiB } from '../../runtime/units.ts'

/** First and last byte, both included. */
export interface ByteRange {
  readonly first: number
  readonly last: number
}

export interface Blobs {
  /** Writes a blob as it comes in; whatever ends this early leaves no file. */
  write(chunks: AsyncIterable<Buffer>): Promise<BlobRef>
  /** The same bytes under names of their own, without copying them. */
  duplicate(blobs: readonly BlobRef[]): Promise<BlobRef[]>
  /** Reads across blobs. They stay readable until the reader ends, even when discarded meanwhile. */
  read(blobs: readonly BlobRef[], range: ByteRange): AsyncGenerator<Buffer>
  /** Removes blobs that no record names any more, once nobody reads them. Does not throw. */
  discard(blobs: readonly BlobRef[]): Promise<void>
}

const writeBytes = 512 * KiB

export function createBlobs(dir: string): Blobs {
  const pathOf = (id: string) => join(dir, id)
  const readers = new Map<string, number>()
  const discarded = new Set<string>()

  async function remove(id: string): Promise<void> {
    // what cannot be removed now is rubbish that the next start finds
    await rm(pathOf(id), { force: true }).catch(() => undefined)
  }

  function hold(blobs: readonly BlobRef[]): void {
    for (const { id } of blobs) readers.set(id, (readers.get(id) ?? 0) + 1)
  }

  async function release(blobs: readonly BlobRef[]): Promise<void> {
    for (const { id } of blobs) {
      const left = (readers.get(id) ?? 1) - 1
      if (left > 0) {
        readers.set(id, left)
        continue
      }
      readers.delete(id)
      if (discarded.delete(id)) await remove(id)
    }
  }

  async function discard(blobs: readonly BlobRef[]): Promise<void> {
    for (const { id } of blobs) {
      if (readers.has(id)) discarded.add(id)
      else await remove(id)
    }
  }

  return {
    async write(chunks) {
      const id = randomUUID()
      const file = await open(pathOf(id), 'wx', 0o600)
      try {
        return { id, bytes: await fill(file, chunks) }
      } catch (error) {
        await remove(id)
        throw error
      } finally {
        await file.close()
      }
    },
    async duplicate(originals) {
      const copies = originals.map(({ bytes }) => ({ id: randomUUID(), bytes }))
      hold(originals)
      try {
        for (const [index, { id }] of originals.entries()) {
          await link(pathOf(id), pathOf(copies[index]?.id ?? ''))
        }
        return copies
      } catch (error) {
        await discard(copies)
        throw error
      } finally {
        await release(originals)
      }
    },
    read(blobs, range) {
      const wanted = slicesOf(blobs, range)
      const held = wanted.map(({ blob }) => blob)
      // now, not at the first read: the record may be replaced before that
      hold(held)
      return readSlices(wanted, pathOf, () => release(held))
    },
    discard,
  }
}

/** Gathers network-sized chunks into larger writes; the next piece is not asked for until they are done. */
async function fill(file: FileHandle, chunks: AsyncIterable<Buffer>): Promise<number> {
  let bytes = 0
  let pending: Buffer[] = []
  let pendingBytes = 0
  for await (const chunk of chunks) {
    pending.push(chunk)
    pendingBytes += chunk.length
    if (pendingBytes < writeBytes) continue
    await writeAll(file, pending, pendingBytes)
    bytes += pendingBytes
    pending = []
    pendingBytes = 0
  }
  await writeAll(file, pending, pendingBytes)
  return bytes + pendingBytes
}

async function writeAll(file: FileHandle, chunks: Buffer[], bytes: number): Promise<void> {
  if (bytes === 0) return
  const { bytesWritten } = await file.writev(chunks)
  // a full disk may take a part and report no error until the next write
  if (bytesWritten < bytes) await file.appendFile(Buffer.concat(chunks).subarray(bytesWritten))
}

interface Slice {
  readonly blob: BlobRef
  readonly start: number
  readonly end: number
}

function slicesOf(blobs: readonly BlobRef[], { first, last }: ByteRange): Slice[] {
  const slices: Slice[] = []
  let offset = 0
  for (const blob of blobs) {
    const start = Math.max(first - offset, 0)
    const end = Math.min(last - offset, blob.bytes - 1)
    if (start <= end) slices.push({ blob, start, end })
    offset += blob.bytes
  }
  return slices
}

async function* readSlices(
  slices: readonly Slice[],
  pathOf: (id: string) => string,
  release: () => Promise<void>,
): AsyncGenerator<Buffer> {
  try {
    for (const { blob, start, end } of slices) {
      const file = createReadStream(pathOf(blob.id), { start, end, highWaterMark: MiB })
      yield* file as AsyncIterable<Buffer>
    }
  } finally {
    await release()
  }
}
