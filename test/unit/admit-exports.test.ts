import { describe, expect, it } from 'vitest'
import { admitAll } from '../../src/export/admit-exports.ts'
import type { Dispatched } from '../../src/export/ports.ts'
import { exportBundle, fourRows } from '../support/export-bundle.ts'
import { createListSource } from '../support/list-source.ts'
import { createMemoryExportRecords } from '../support/memory-export-records.ts'
import { newExport } from '../support/new-export.ts'

const one = { leaseMs: 60_000, perKey: 1 }

/** Three exports of one key, which may run one at once: the first runs, the others are held back. */
async function threeOfOneKey() {
  const records = createMemoryExportRecords()
  const ids: string[] = []
  for (const second of [1, 2, 3]) {
    const createdAt = new Date(Date.UTC(2026, 0, 1, 0, 0, second))
    const { record } = await records.create(newExport({ createdAt, requestedBy: 'anna' }))
    await records.claim(record.id, one)
    ids.push(record.id)
  }
  const enqueued: string[] = []
  const queue = {
    enqueue({ id, dispatch }: Dispatched) {
      enqueued.push(`${id} ${dispatch}`)
      return Promise.resolve()
    },
  }
  return { records, queue, ids, enqueued }
}

describe('the end of an export', () => {
  it.each([
    ['completes', {}, 'completed'],
    ['fails', { failAt: { row: 0, error: new Error('broken') } }, 'again'],
  ] as const)('that %s has the next one of its key enqueued', async (_how, how, outcome) => {
    const { records, queue, ids, enqueued } = await threeOfOneKey()
    await records.cancel(ids[0]!, new Date())
    const { settings, ...bundle } = await exportBundle(createListSource(fourRows, how))
    // the oldest: those that are held back wait behind it
    await records.create(newExport({ id: bundle.id, requestedBy: 'anna', createdAt: new Date(0) }))
    const deps = { records, queue, settings: { ...settings, perKey: 1 } }
    expect(await bundle.run(deps)).toMatchObject({ outcome })
    expect(enqueued).toEqual([`${ids[1]} 2`])
  })

  it('ends as it would though the queue is away', async () => {
    const { records, ids } = await threeOfOneKey()
    await records.cancel(ids[0]!, new Date())
    const { settings, ...bundle } = await exportBundle()
    await records.create(newExport({ id: bundle.id, requestedBy: 'anna', createdAt: new Date(0) }))
    const queue = { enqueue: () => Promise.reject(new Error('away')) }
    const deps = { records, queue, settings: { ...settings, perKey: 1 } }
    expect(await bundle.run(deps)).toMatchObject({ outcome: 'completed' })
  })

  it('of an export that is held back is not there yet', async () => {
    const { records, queue, enqueued } = await threeOfOneKey()
    const { settings, ...bundle } = await exportBundle()
    await records.create(newExport({ id: bundle.id, requestedBy: 'anna' }))
    const deps = { records, queue, settings: { ...settings, perKey: 1 } }
    expect(await bundle.run(deps)).toEqual({ outcome: 'held-back' })
    expect(enqueued).toEqual([])
  })
})

describe('a look at all that is held back', () => {
  const { signal } = new AbortController()

  it('has enqueued what nobody else did', async () => {
    const { records, queue, ids, enqueued } = await threeOfOneKey()
    expect(await admitAll({ records, queue }, { perKey: 1, signal })).toEqual([])
    await records.cancel(ids[0]!, new Date())
    expect(await admitAll({ records, queue }, { perKey: 1, signal })).toEqual([ids[1]])
    expect(await admitAll({ records, queue }, { perKey: undefined, signal })).toEqual([ids[2]])
    expect(enqueued).toEqual([`${ids[1]} 2`, `${ids[2]} 2`])
  })
})
