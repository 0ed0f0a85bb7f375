import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { NotFoundError } from '../../src/errors.ts'
import { cancelExport } from '../../src/export/cancel-export.ts'
import { deleteExport } from '../../src/export/delete-export.ts'
import { linkExport } from '../../src/export/link-export.ts'
import type { ExportState } from '../../src/export/model.ts'
import { exportInState } from '../contract/export-records-transitions.ts'
import { chunksOf } from '../support/chunks.ts'
import { createMemoryArtifactStore } from '../support/memory-artifact-store.ts'
import { createMemoryExportRecords } from '../support/memory-export-records.ts'
import { newArtifact, newExport } from '../support/new-export.ts'

const now = new Date('2026-01-03T00:00:00.000Z')
const { key } = newArtifact()

/** An export in a state; the object is there, whether it should be or not. */
async function setup(state: ExportState) {
  const records = createMemoryExportRecords()
  const artifacts = createMemoryArtifactStore()
  const signal = new AbortController().signal
  await artifacts.put(key, chunksOf(Buffer.from('["S1"]')), { contentType: 'x', signal })
  const record = await exportInState(records, state)
  const deps = { records, artifacts, clock: { now: () => now }, linkTtlSeconds: 600 }
  return { deps, record, id: record.id, records, artifacts }
}

describe('to cancel', () => {
  it.each(['queued', 'running'] as const)('ends an export that is %s', async (state) => {
    const { deps, id, records } = await setup(state)
    const { record, changed } = await cancelExport(deps, id)
    expect(changed).toBe(true)
    expect(record).toMatchObject({ state: 'canceled', finishedAt: now })
    expect(await records.get(id)).toEqual(record)
  })

  it('does nothing to an export that was canceled before', async () => {
    const { deps, id, record } = await setup('canceled')
    expect(await cancelExport(deps, id)).toEqual({ record, changed: false })
  })

  it.each(['completed', 'failed', 'expired'] as const)(
    'is refused for one that is %s',
    async (state) => {
      const { deps, id, record, records } = await setup(state)
      const refused = cancelExport(deps, id)
      await expect(refused).rejects.toMatchObject({ code: 'EXPORT_FINISHED', state })
      await expect(refused).rejects.toThrow(state)
      expect(await records.get(id)).toEqual(record)
    },
  )

  it('finds no export of an unknown id', async () => {
    const { deps } = await setup('queued')
    await expect(cancelExport(deps, randomUUID())).rejects.toThrow(NotFoundError)
    await expect(cancelExport(deps, 'x')).rejects.toThrow(NotFoundError)
  })
})

describe('to delete', () => {
  it('removes the artifact of a completed export, and keeps the record', async () => {
    const { deps, id, records, artifacts } = await setup('completed')
    await deleteExport(deps, id)
    expect(artifacts.objects.size).toBe(0)
    expect(await records.get(id)).toMatchObject({ state: 'expired', expiresAt: now })
    await deleteExport(deps, id)
    expect(await records.get(id)).toMatchObject({ state: 'expired' })
  })

  it('removes what an interrupted deletion had left', async () => {
    const { deps, id, artifacts } = await setup('expired')
    await deleteExport(deps, id)
    expect(artifacts.objects.size).toBe(0)
  })

  it('shows the export as expired before its object goes', async () => {
    const { deps, id, records, artifacts } = await setup('completed')
    const seen: string[] = []
    const remove = async (key: string) => {
      seen.push((await records.get(id)).state)
      await artifacts.remove(key)
    }
    await deleteExport({ ...deps, artifacts: { remove } }, id)
    expect(seen).toEqual(['expired'])
  })

  it.each(['failed', 'canceled'] as const)('changes nothing when %s', async (state) => {
    const { deps, id, record, records } = await setup(state)
    await deleteExport(deps, id)
    expect(await records.get(id)).toEqual(record)
  })

  it.each(['queued', 'running'] as const)('is refused while %s', async (state) => {
    const { deps, id, record, records } = await setup(state)
    const refused = deleteExport(deps, id)
    await expect(refused).rejects.toMatchObject({ code: 'EXPORT_NOT_READY', state })
    expect(await records.get(id)).toEqual(record)
  })

  it('is refused for one of an archive', async () => {
    const { deps, records, artifacts } = await setup('completed')
    const archive = { name: 'services', date: '2026-01-01', generation: 1 }
    const { record } = await records.create(newExport({ archive }))
    const refused = deleteExport(deps, record.id)
    await expect(refused).rejects.toMatchObject({ code: 'EXPORT_ARCHIVED', state: 'queued' })
    await expect(refused).rejects.toThrow('of the archive services')
    expect(await records.get(record.id)).toEqual(record)
    expect(await artifacts.stat(key)).toBeDefined()
  })

  it('finds no export of an unknown id', async () => {
    const { deps } = await setup('queued')
    await expect(deleteExport(deps, randomUUID())).rejects.toThrow(NotFoundError)
  })
})

describe('a link', () => {
  it('leads to the artifact of a completed export', async () => {
    const { deps, record } = await setup('completed')
    const { url } = await linkExport(deps, record)
    expect(await (await fetch(url)).text()).toBe('["S1"]')
  })

  it('is asked for with life, name and type', async () => {
    const { deps, record } = await setup('completed')
    const asked: unknown[] = []
    const link = (...args: unknown[]) => {
      asked.push(...args)
      return Promise.resolve({ url: 'x', expiresAt: now })
    }
    await linkExport({ ...deps, artifacts: { link } }, record)
    const fileName = 'services_20140722T120000Z_20140722T180000Z.json'
    expect(asked).toEqual([key, { ttlSeconds: 600, fileName, contentType: 'application/json' }])
  })

  it.each([
    ['queued', 'EXPORT_NOT_READY'],
    ['running', 'EXPORT_NOT_READY'],
    ['failed', 'EXPORT_GONE'],
    ['canceled', 'EXPORT_GONE'],
    ['expired', 'EXPORT_EXPIRED'],
  ] as const)('is refused when %s: %s', async (state, code) => {
    const { deps, record } = await setup(state)
    await expect(linkExport(deps, record)).rejects.toMatchObject({ code, state })
  })
})
