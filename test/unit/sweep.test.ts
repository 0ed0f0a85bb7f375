import { describe, expect, it } from 'vitest'
import { StoreError } from '../../src/errors.ts'
import type { ExportRecords } from '../../src/export/ports.ts'
import { sweep, type SweepDeps } from '../../src/retention/sweep.ts'
import { createMemoryArtifactStore } from '../support/memory-artifact-store.ts'
import { createMemoryExportRecords } from '../support/memory-export-records.ts'
import { newArtifact, newExport, newRecord } from '../support/new-export.ts'

const signal = new AbortController().signal
const past = new Date('2026-01-02T04:00:00.000Z')
const live = { leaseMs: 60_000 }

function bundle() {
  const records = createMemoryExportRecords()
  const artifacts = createMemoryArtifactStore()
  const deps: SweepDeps = {
    records,
    artifacts,
    isArchived: () => Promise.resolve(false),
    // whatever was written before the sweep is old enough
    clock: { now: () => new Date(Date.now() + 1000) },
    settings: { keyPrefix: '', orphanAgeMs: 0 },
  }
  const put = (key: string) =>
    artifacts.put(key, (async function* () {})(), {
      contentType: '',
      signal: new AbortController().signal,
    })
  async function completed(expiresAt: Date) {
    const { id } = (await records.create(newExport())).record
    const claim = (await records.claim(id, live))!
    const key = `exports/${id}/1/a.json`
    await put(key)
    const times = { finishedAt: past, expiresAt, snapshotAt: past }
    await records.complete(claim, newArtifact({ key }), times)
    return { id, key }
  }
  return { deps, records, artifacts, put, completed }
}

describe('a sweep', () => {
  it('expires what is due, and removes its object', async () => {
    const { deps, records, artifacts, completed } = bundle()
    const due = await completed(past)
    const young = await completed(new Date(Date.now() + 3_600_000))
    expect(await sweep(deps, { signal })).toMatchObject({ expired: 1, objects: 0, failed: 0 })
    expect(await records.get(due.id)).toMatchObject({ state: 'expired', expiresAt: past })
    expect(await records.get(young.id)).toMatchObject({ state: 'completed' })
    expect([...artifacts.objects.keys()]).toEqual([young.key])
  })

  it('ends after ten thousand removals, however much there is to do', async () => {
    const { deps } = bundle()
    let left = 12_000
    const much: SweepDeps = {
      ...deps,
      records: {
        ...deps.records,
        listDue: ({ limit }) =>
          Promise.resolve(Array.from({ length: Math.min(limit, left) }, () => newRecord())),
        expire: (id) => {
          left -= 1
          return Promise.resolve(newRecord({ id, artifact: newArtifact() }))
        },
      },
    }
    expect(await sweep(much, { signal })).toMatchObject({ expired: 10_000, failed: 0 })
  })

  it('finds nothing to do the second time', async () => {
    const { deps, completed } = bundle()
    await completed(past)
    await sweep(deps, { signal })
    const nothing = { expired: 0, objects: 0, uploads: 0, unknown: 0, failed: 0 }
    expect(await sweep(deps, { signal })).toEqual(nothing)
  })

  it('removes the object of an artifact that had expired, when that failed before', async () => {
    const { deps, artifacts, completed } = bundle()
    const { key } = await completed(past)
    const away = new StoreError('STORE_UNAVAILABLE', 'the store is away')
    const failing = { ...artifacts, remove: () => Promise.reject(away) }
    const first = await sweep({ ...deps, artifacts: failing }, { signal })
    expect(first).toMatchObject({ expired: 0, failed: 2, failure: away })
    expect([...artifacts.objects.keys()]).toEqual([key])
    expect(await sweep(deps, { signal })).toMatchObject({ expired: 0, objects: 1, failed: 0 })
    expect(artifacts.objects.size).toBe(0)
  })

  it('goes on behind what cannot be removed, but not for ever', async () => {
    const { deps, records, artifacts, put } = bundle()
    const { id } = (await records.create(newExport())).record
    await records.claim(id, live)
    await records.cancel(id, past)
    for (let n = 0; n < 30; n++) await put(`exports/${id}/1/${n}.json`)
    let asked = 0
    const remove = (key: string) => {
      asked++
      const locked = new StoreError('STORE_DENIED', `${key} is locked`)
      return key.endsWith('/0.json') ? Promise.reject(locked) : artifacts.remove(key)
    }
    const some = await sweep({ ...deps, artifacts: { ...artifacts, remove } }, { signal })
    expect(some).toMatchObject({ objects: 29, failed: 1 })
    for (let n = 1; n < 30; n++) await put(`exports/${id}/1/${n}.json`)
    asked = 0
    const none = { ...artifacts, remove: () => (asked++, Promise.reject(new Error('no'))) }
    expect(await sweep({ ...deps, artifacts: none }, { signal })).toMatchObject({ failed: 10 })
    expect(asked).toBe(10)
  })

  it('counts what it does not know, and touches none of it', async () => {
    const { deps, artifacts, put } = bundle()
    const keys = [
      `exports/${newExport().id}/1/a.json`,
      'exports/notes.txt',
      'archive/a/b.gz',
      'a.gz',
    ]
    for (const key of keys) await put(key)
    expect(await sweep(deps, { signal })).toMatchObject({ unknown: 3, objects: 0 })
    expect([...artifacts.objects.keys()]).toEqual(keys)
  })

  it('asks for records in batches', async () => {
    const { deps, records, put } = bundle()
    for (let n = 0; n < 1201; n++) await put(`exports/${newExport().id}/1/a.json`)
    const batches: number[] = []
    const getMany: ExportRecords['getMany'] = (ids) => {
      batches.push(ids.length)
      return records.getMany(ids)
    }
    await sweep({ ...deps, records: { ...records, getMany } }, { signal })
    expect(batches).toEqual([500, 500, 201])
  })

  it('stops when it is told to', async () => {
    const { deps, completed } = bundle()
    await completed(past)
    const reason = new Error('stopping')
    await expect(sweep(deps, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })
})
