import { createHash } from 'node:crypto'
import { MiB } from '../../src/runtime/units.ts'

/** Bytes that look like nothing, but are the same on every run. */
export function patternBytes(length: number): Buffer {
  const block = Buffer.concat(
    Array.from({ length: 1024 }, (_, i) => createHash('sha256').update(String(i)).digest()),
  )
  // a prime step between blocks, so that parts that changed places would show
  return Buffer.concat(
    Array.from({ length: Math.ceil(length / block.length) }, (_, i) => {
      const copy = Buffer.from(block)
      copy.writeUInt32BE(i, (i * 7919) % (block.length - 4))
      return copy
    }),
    length,
  )
}

export async function* chunksOf(bytes: Buffer, size = MiB): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) {
    // as between real stages, where no chunk is ready at once
    yield await Promise.resolve(bytes.subarray(at, at + size))
  }
}

export async function collect(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const collected: Buffer[] = []
  for await (const chunk of chunks) collected.push(chunk)
  return Buffer.concat(collected)
}

export const sha256 = (bytes: Buffer | string): string =>
  createHash('sha256').update(bytes).digest('hex')
