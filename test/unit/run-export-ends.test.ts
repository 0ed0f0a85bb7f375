import { describe, expect, it } from 'vitest'
import { CanceledError, InterruptedError, SourceError } from '../../src/errors.ts'
import type { ArtifactStore, ExportRecords } from '../../src/export/ports.ts'
import { exportBundle, fourRows } from '../support/export-bundle.ts'
import { createListSource } from '../support/list-source.ts'

const down = new SourceError('SOURCE_UNAVAILABLE', 'the control database is away')

/** A bundle whose attempt waits at row 3, and has come there. */
async function runningBundle(signal?: AbortSignal) {
  const source = createListSource(fourRows, { waitAt: 3 })
  const bundle = await exportBundle(source)
  const running = bundle.run(signal === undefined ? {} : { signal })
  await source.waiting
  return { ...bundle, running }
}

/** The same store, in which something happens between upload and completion. */
const afterPut = (store: ArtifactStore, happens: () => Promise<unknown>): ArtifactStore => ({
  ...store,
  async put(...args) {
    const stored = await store.put(...args)
    await happens()
    return stored
  },
})

describe('an attempt whose export is canceled', () => {
  it('ends while it runs, and leaves no object and no snapshot', async () => {
    const { running, records, record, artifacts, source, id } = await runningBundle()
    await records.cancel(id, new Date())
    const result = await running
    expect(result).toMatchObject({ outcome: 'canceled' })
    expect((result as { error: Error }).error).toBeInstanceOf(CanceledError)
    expect(await record()).toMatchObject({ state: 'canceled', failures: 0 })
    expect(await record()).not.toHaveProperty('error')
    expect(artifacts.objects.size).toBe(0)
    expect(source.openSnapshots).toBe(0)
  })

  it('removes the object when that came between upload and completion', async () => {
    const { run, records, record, artifacts, id, settings } = await exportBundle()
    let uploaded = 0
    const store = afterPut(artifacts, () => {
      uploaded = artifacts.objects.size
      return records.cancel(id, new Date())
    })
    // no report in between: only the completion can notice
    const result = await run({ artifacts: store, settings: { ...settings, progressMs: 60_000 } })
    expect(uploaded).toBe(1)
    expect(result).toMatchObject({ outcome: 'canceled' })
    expect(artifacts.objects.size).toBe(0)
    expect(await record()).toMatchObject({ state: 'canceled' })
  })

  it('is canceled, not failed, when it fails in the same moment', async () => {
    const { run, records, record, id, settings } = await exportBundle()
    const store: Partial<ArtifactStore> = {
      put: async () => {
        await records.cancel(id, new Date())
        throw down
      },
    }
    const artifacts = store as ArtifactStore
    const result = await run({ artifacts, settings: { ...settings, progressMs: 60_000 } })
    expect(await record()).toMatchObject({ state: 'canceled' })
    expect(result).toMatchObject({ outcome: 'canceled' })
  })
})

describe('an attempt that is interrupted', () => {
  it('gives the export back, and counts no failure', async () => {
    const controller = new AbortController()
    const { running, record, artifacts, source } = await runningBundle(controller.signal)
    const reason = new InterruptedError('This worker is stopping.')
    controller.abort(reason)
    expect(await running).toEqual({ outcome: 'interrupted', error: reason, attempt: 1 })
    expect(await record()).toMatchObject({ state: 'queued', failures: 0, attempt: 1 })
    expect(await record()).not.toHaveProperty('error')
    expect(artifacts.objects.size).toBe(0)
    expect(source.openSnapshots).toBe(0)
  })

  it('gives it back when that came before it had begun', async () => {
    const { run, record } = await exportBundle()
    const reason = new InterruptedError('This worker is stopping.')
    const result = await run({ signal: AbortSignal.abort(reason) })
    expect(result).toEqual({ outcome: 'interrupted', error: reason, attempt: 1 })
    expect(await record()).toMatchObject({ state: 'queued', failures: 0 })
  })

  it('shows the interruption, not what a stage made of it', async () => {
    const controller = new AbortController()
    const reason = new InterruptedError('This worker is stopping.')
    const { run } = await exportBundle()
    const artifacts: Partial<ArtifactStore> = {
      put: () => {
        controller.abort(reason)
        return Promise.reject(new TypeError('socket closed'))
      },
    }
    const result = await run({
      artifacts: artifacts as ArtifactStore,
      signal: controller.signal,
    })
    expect(result).toEqual({ outcome: 'interrupted', error: reason, attempt: 1 })
  })
})

describe('an attempt that was taken over', () => {
  it('ends, and touches neither the record nor the object of the other', async () => {
    const { run, records, record, artifacts, id, settings } = await exportBundle()
    const store = afterPut(artifacts, async () => {
      // as after a pause of the whole process, longer than its lease
      await records.progress({ id, attempt: 1 }, { rows: 4, bytes: 27, leaseMs: -1 })
      await records.claim(id, { leaseMs: 60_000 })
    })
    const result = await run({ artifacts: store, settings: { ...settings, progressMs: 60_000 } })
    expect(result).toMatchObject({ outcome: 'interrupted' })
    expect(await record()).toMatchObject({ state: 'running', attempt: 2 })
    expect(artifacts.objects.size).toBe(0)
  })
})

describe('an attempt whose completion cannot be written', () => {
  type Complete = (...args: Parameters<ExportRecords['complete']>) => Promise<boolean>
  const completing = (records: ExportRecords, complete: Complete) => ({
    ...records,
    complete,
  })

  it('leaves no object that no record knows', async () => {
    const { run, records, record, artifacts } = await exportBundle()
    const result = await run({ records: completing(records, () => Promise.reject(down)) })
    expect(result).toMatchObject({ outcome: 'again' })
    expect(await record()).toMatchObject({ state: 'queued' })
    expect([...artifacts.objects.keys()]).toEqual([])
  })

  it('keeps the object when only the answer was lost', async () => {
    const { run, records, record, artifacts } = await exportBundle()
    await run({
      records: completing(records, async (...args) => {
        await records.complete(...args)
        throw down
      }),
    })
    const { state, artifact } = await record()
    expect(state).toBe('completed')
    expect([...artifacts.objects.keys()]).toEqual([artifact!.key])
  })
})
