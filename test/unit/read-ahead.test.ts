import { describe, expect, it } from 'vitest'
import type { Segment, Span } from '../../src/datasets/dataset.ts'
import type { RowBlock } from '../../src/export/ports.ts'
import { readAhead } from '../../src/postgres/read-ahead.ts'
import { createRowSizes } from '../../src/postgres/row-sizes.ts'
import type { Reader } from '../../src/postgres/reader.ts'
import { createDice, type Dice } from '../support/dice.ts'
import { endsOf, segmentedQuery } from '../support/segmented-query.ts'
import { blockOf } from '../support/row-blocks.ts'

interface Row {
  readonly ms: number
  readonly id: string
}

const begin = Date.parse('2014-07-01T00:00:00Z')
const range = { from: '2000-01-01T00:00:00Z', to: '2030-01-01T00:00:00Z' }
const separator = ',\n'
const before = (a: Row, b: Row) => a.ms - b.ms || Number(a.id) - Number(b.id)
const placeOf = ({ ms, id }: Row) => ({ at: new Date(ms).toISOString(), id })
const rowAt = ({ at, id }: { at: string; id: string }): Row => ({ ms: Date.parse(at), id })

/** Rows in their order, some of them many at one instant. */
const rollRows = (dice: Dice): readonly Row[] =>
  Array.from({ length: dice.between(0, 399) }, (_, n) => ({
    ms: begin + (dice.between(0, 2) === 0 ? 5000 : dice.between(0, 99_999)),
    id: String(n).padStart(4, '0'),
  })).sort(before)

interface Faults {
  /** The row at which a reader fails. */
  readonly failAt?: Row | undefined
  /** How wrong the planner may be: a factor. */
  readonly wrong: number
}

/** A reader over rows in memory that takes its time. */
function fakeReader(rows: readonly Row[], dice: Dice, { failAt, wrong }: Faults): Reader {
  const pause = async () => {
    for (let n = dice.between(0, 3); n > 0; n--)
      await new Promise((resolve) => setImmediate(resolve))
  }
  const within = (segment: Segment) => {
    const [from, to] = endsOf(segment)
    const { after, upTo } = segment
    return rows.filter(
      (row) =>
        row.ms >= from &&
        row.ms < to &&
        (after === undefined || before(row, rowAt(after)) > 0) &&
        (upTo === undefined || before(row, rowAt(upTo)) <= 0),
    )
  }
  async function* read(found: readonly Row[]): AsyncGenerator<RowBlock, void> {
    await pause()
    for (let at = 0; at < found.length;) {
      const some = found.slice(at, (at += 1 + dice.between(0, 19)))
      if (failAt !== undefined && some.includes(failAt)) throw new RangeError('failed')
      yield blockOf(some.map(({ id }) => `"${id}"`))
      await pause()
    }
  }
  return {
    async estimate(_query, span?: Span) {
      await pause()
      const found = within(span ?? range).length
      return { rows: Math.max(1, Math.floor(found * wrong)), cost: found }
    },
    async placeAt(_query, segment, offset) {
      await pause()
      const row = within(segment)[offset]
      return row === undefined ? undefined : placeOf(row)
    },
    async *readQuery({ text }) {
      yield* read(within(JSON.parse(text) as Segment))
    },
    async *readSegment(_query, segment, { limit }) {
      const found = within(segment)
      yield* read(found.slice(0, limit))
      const last = found[limit - 1]
      return last === undefined ? undefined : { ...segment, after: placeOf(last) }
    },
  }
}

/** One export of random rows by random readers. */
function roll(seed: number) {
  const dice = createDice(seed)
  const rows = rollRows(dice)
  const failAt =
    dice.between(0, 3) === 0 ? rows[dice.between(0, Math.max(0, rows.length - 1))] : undefined
  const faults = { failAt, wrong: [0, 0.1, 1, 5][dice.between(0, 3)]! }
  let readers = dice.between(0, 3)
  const finished: boolean[] = []
  const first = fakeReader(rows, dice, faults)
  const deps = {
    first,
    dismiss: (reader: Reader) => reader !== first && dice.between(0, 4) === 0,
    another() {
      if (readers-- <= 0) return undefined
      const opening = new Promise<Reader>((resolve, reject) =>
        setImmediate(() => {
          if (dice.between(0, 2) === 0) reject(new Error('no connection'))
          else resolve(fakeReader(rows, dice, faults))
        }),
      )
      return opening
    },
    rowSizes: createRowSizes(),
    sizes: { segmentBytes: 10 + dice.between(0, 499), readAheadBytes: 10 + dice.between(0, 1999) },
    stop: (whole: boolean) => void finished.push(whole),
  }
  return {
    dice,
    rows,
    failAt,
    finished,
    blocks: readAhead([segmentedQuery(range)], deps, { separator }),
  }
}

/** A test of its own for so many: all together take seconds of processor time, which others want, too. */
const seedsATest = 100
const firstSeeds = [0, 1, 2, 3].map((n) => n * seedsATest)
const seedsFrom = (first: number) => Array.from({ length: seedsATest }, (_, n) => first + n)

describe('readers that are ahead of each other', () => {
  it.each(firstSeeds)(
    'yield all rows in their order, or the failure of one (seeds from %i)',
    async (first) => {
      for (const seed of seedsFrom(first)) {
        const { rows, failAt, finished, blocks } = roll(seed)
        let text = ''
        const reading = (async () => {
          for await (const { bytes } of blocks) text += bytes.toString()
        })()
        if (failAt === undefined) {
          await reading
          expect(text, `seed ${seed}`).toBe(rows.map(({ id }) => `"${id}"${separator}`).join(''))
        } else await expect(reading, `seed ${seed}`).rejects.toThrow('failed')
        expect(finished, `seed ${seed}`).toEqual([failAt === undefined])
      }
    },
  )

  it.each(firstSeeds)('all end when nobody wants more (seeds from %i)', async (first) => {
    for (const seed of seedsFrom(first)) {
      const { dice, failAt, finished, blocks } = roll(seed)
      if (failAt !== undefined) continue
      let left = dice.between(0, 9)
      for await (const block of blocks) if (block.rows === 0 || left-- === 0) break
      expect(finished, `seed ${seed}`).toHaveLength(1)
    }
  })
})

describe('what is read ahead', () => {
  it('is bounded, however long the first block is not taken', async () => {
    const rows = Array.from({ length: 5000 }, (_, n) => ({
      ms: begin + n,
      id: String(n).padStart(4, '0'),
    }))
    let read = 0
    const counting = (reader: Reader): Reader => ({
      ...reader,
      async *readSegment(...args) {
        const reading = reader.readSegment(...args)
        for (;;) {
          const next = await reading.next()
          if (next.done === true) return next.value
          read += next.value.bytes.length
          yield next.value
        }
      },
    })
    const reader = () => counting(fakeReader(rows, createDice(1), { wrong: 1 }))
    const blocks = readAhead(
      [segmentedQuery(range)],
      {
        first: reader(),
        another: () => Promise.resolve(reader()),
        dismiss: () => false,
        rowSizes: createRowSizes(),
        sizes: { segmentBytes: 800, readAheadBytes: 1600 },
        stop: () => undefined,
      },
      { separator },
    )
    const { value } = (await blocks.next()) as { value: RowBlock }
    for (let n = 0; n < 500; n++) await new Promise((resolve) => setImmediate(resolve))
    // a block of up to 20 rows more for each of the readers
    expect(read).toBeLessThanOrEqual(value.bytes.length + 1600 + 8 * 160)
    await blocks.return(undefined)
  })
})

describe('what rows had when they were read before', () => {
  it('spares a reader the small segments by which it would find out', async () => {
    const rows = Array.from({ length: 400 }, (_, n) => ({
      ms: begin + n,
      id: String(n).padStart(4, '0'),
    }))
    const rowSizes = createRowSizes()
    /** @returns how many rows were read of each segment */
    async function readOnce(): Promise<readonly number[]> {
      const segments: number[] = []
      const reader = fakeReader(rows, createDice(1), { wrong: 1 })
      const first: Reader = {
        ...reader,
        async *readSegment(...args) {
          const at = segments.push(0) - 1
          const reading = reader.readSegment(...args)
          for (;;) {
            const next = await reading.next()
            if (next.done === true) return next.value
            segments[at]! += next.value.rows
            yield next.value
          }
        },
      }
      const others = { another: () => undefined, dismiss: () => false, stop: () => undefined }
      const sizes = { segmentBytes: 3000, readAheadBytes: 6000 }
      const deps = { first, ...others, sizes, rowSizes }
      let count = 0
      for await (const block of readAhead([segmentedQuery(range)], deps, { separator })) {
        count += block.rows
      }
      expect(count).toBe(rows.length)
      return segments
    }
    const [before, after] = [await readOnce(), await readOnce()]
    expect(before[0]).toBeLessThan(after[0]!)
    expect(after.length).toBeLessThan(before.length)
  })
})
