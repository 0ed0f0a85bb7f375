import { describe, expect, it } from 'vitest'
import { createTally } from '../../src/encode/tally.ts'
import { chunksOf, sha256 } from '../support/chunks.ts'

async function drain<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const drained: T[] = []
  for await (const item of items) drained.push(item)
  return drained
}

describe('a tally', () => {
  it('counts rows, and passes the blocks on as they are', async () => {
    const tally = createTally()
    async function* source() {
      yield await Promise.resolve({ rows: 2 })
      yield { rows: 1 }
    }
    expect(await drain(tally.countRows(source()))).toEqual([{ rows: 2 }, { rows: 1 }])
    expect(tally.rows).toBe(3)
  })

  it('counts and digests bytes, and passes the chunks on as they are', async () => {
    const tally = createTally()
    const bytes = Buffer.from('["ü",\n"日本"]')
    const passed = await drain(tally.measure(chunksOf(bytes, 3)))
    expect(Buffer.concat(passed).equals(bytes)).toBe(true)
    expect(tally.bytes).toBe(bytes.length)
    expect(tally.sha256()).toBe(sha256(bytes))
  })

  it('is that of nothing when nothing has passed', async () => {
    const tally = createTally()
    await drain(tally.measure(chunksOf(Buffer.alloc(0))))
    expect(tally).toMatchObject({ rows: 0, bytes: 0 })
    expect(tally.sha256()).toBe(sha256(''))
  })

  it('shows what has passed while more is to come', async () => {
    const tally = createTally()
    const passing = tally.measure(chunksOf(Buffer.alloc(10), 4))
    await passing.next()
    expect(tally.bytes).toBe(4)
    await passing.next()
    expect(tally.bytes).toBe(8)
  })
})
