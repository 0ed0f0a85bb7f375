import { describe, expect, it } from 'vitest'
import {
  canCompress,
  compress,
  compressions,
  type Compression,
} from '../../src/encode/compression.ts'
import { describeDifferences, inspectArtifact } from '../../src/verify/inspect-artifact.ts'
import { sha256 } from '../support/chunks.ts'

const raw = Buffer.from(
  Array.from({ length: 20_000 }, (_, n) => `{"n":${n},"x":"${'x'.repeat(n % 300)}"}\n`).join(''),
)

// eslint-disable-next-line @typescript-eslint/require-await
async function* once(bytes: Buffer) {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
}

async function pack(compression: Compression): Promise<Buffer> {
  const chunks: Buffer[] = []
  const packed = compression === 'none' ? once(raw) : compress(once(raw), compression)
  for await (const chunk of packed) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

const inspect = (bytes: Buffer, compression: Compression) =>
  inspectArtifact(once(bytes), { format: 'ndjson', compression })

describe.each(compressions.filter(canCompress))(
  'an artifact with compression %s',
  (compression) => {
    it('is counted and digested, as it is stored and unpacked', async () => {
      const packed = await pack(compression)
      expect(await inspect(packed, compression)).toEqual({
        ...{ rows: 20_000, bytes: packed.length, sha256: sha256(packed) },
        ...{ rawBytes: raw.length, rawSha256: sha256(raw) },
      })
    })

    it('that was cut says so', async () => {
      const packed = await pack(compression)
      const cut = packed.subarray(0, packed.length - 20)
      const { problem } = (await inspect(cut, compression)) as { problem: string }
      expect(problem).toMatch(/cannot be unpacked after \d+ bytes|ends within element 20000/)
    })
  },
)

it('a byte that was changed is found, wherever it is', async () => {
  const packed = await pack('gzip')
  for (let at = 0; at < packed.length; at += Math.ceil(packed.length / 50)) {
    const changed = Buffer.from(packed)
    changed[at]! ^= 0x10
    const found = await inspect(changed, 'gzip')
    expect('problem' in found || found.sha256 !== sha256(packed)).toBe(true)
  }
})

it('a reader that fails is not taken for a broken artifact', async () => {
  async function* failing() {
    yield (await pack('gzip')).subarray(0, 10)
    throw new Error('away')
  }
  await expect(
    inspectArtifact(failing(), { format: 'ndjson', compression: 'gzip' }),
  ).rejects.toThrow('away')
})

it('what two accounts differ in is named with both', () => {
  const left = { rows: 1, bytes: 2, sha256: 'a' }
  expect(
    describeDifferences([left, 'record'], [{ ...left, rows: 3, rawBytes: 9 }, 'object']),
  ).toEqual(['rows: 1 in the record, 3 in the object'])
})
