import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { EncodeError, SourceError } from '../../src/errors.ts'
import { sha256 } from '../support/chunks.ts'
import { exportBundle, fourRows, fourRowsText } from '../support/export-bundle.ts'
import { createListSource } from '../support/list-source.ts'
import { until } from '../support/until.ts'

const live = { leaseMs: 60_000 }
const lost = new SourceError('SOURCE_UNAVAILABLE', 'the connection was lost')
const permanent = new EncodeError('The service "S3" cannot be exported.', { hint: 'Correct it.' })

describe('an attempt that goes well', () => {
  it('stores the rows, and completes the record with all facts', async () => {
    const { id, run, record, artifacts, source } = await exportBundle()
    const result = await run()
    const key = `p/exports/${id}/1/services_20140722T120000Z_20140722T180000Z.json`
    const artifact = {
      key,
      bytes: Buffer.byteLength(fourRowsText),
      rows: 4,
      sha256: sha256(fourRowsText),
      etag: (await artifacts.stat(key))!.etag,
      contentType: 'application/json',
    }
    expect(result).toMatchObject({ outcome: 'completed', artifact })
    expect(artifacts.objects.get(key)!.toString()).toBe(fourRowsText)
    expect(source.openSnapshots).toBe(0)

    const completed = await record()
    expect(completed).toMatchObject({ state: 'completed', attempt: 1, failures: 0, artifact })
    expect(completed.snapshotAt).toEqual(new Date('2026-01-02T03:00:00.000Z'))
    expect(completed.progress).toEqual({ rows: 4, bytes: artifact.bytes, estimatedRows: 4 })
    const life = completed.expiresAt!.getTime() - completed.finishedAt!.getTime()
    expect(life).toBe(7 * 24 * 3600 * 1000)
  })

  it('stores the rows as gzip, with the facts of both', async () => {
    const { run, record, artifacts } = await exportBundle(undefined, { compression: 'gzip' })
    await run()
    const [[key, bytes] = ['', Buffer.alloc(0)]] = artifacts.objects
    expect(key).toMatch(/_20140722T180000Z\.json\.gz$/)
    expect(gunzipSync(bytes).toString()).toBe(fourRowsText)
    const { artifact, progress } = await record()
    expect(artifact).toMatchObject({
      ...{ key, bytes: bytes.length, sha256: sha256(bytes), rows: 4 },
      contentType: 'application/gzip',
      ...{ rawBytes: Buffer.byteLength(fourRowsText), rawSha256: sha256(fourRowsText) },
    })
    // of JSON, as with any other export
    expect(progress).toMatchObject({ rows: 4, bytes: artifact!.rawBytes })
  })

  it('stores [] when nothing is selected', async () => {
    const { run, artifacts } = await exportBundle(createListSource([]))
    expect(await run()).toMatchObject({ outcome: 'completed', artifact: { rows: 0, bytes: 2 } })
    expect([...artifacts.objects.values()].map(String)).toEqual(['[]'])
  })

  it('reports progress while it runs', async () => {
    const source = createListSource(fourRows, { waitAt: 3 })
    const { run, record } = await exportBundle(source)
    const running = run()
    await source.waiting
    const seen = await until(async () => {
      const { state, progress, snapshotAt } = await record()
      return progress.rows === 3 && { state, progress, snapshotAt }
    })
    expect(seen).toMatchObject({ state: 'running', progress: { rows: 3, estimatedRows: 4 } })
    expect(seen.snapshotAt).toEqual(new Date('2026-01-02T03:00:00.000Z'))
    source.resume()
    expect(await running).toMatchObject({ outcome: 'completed' })
  })

  it('closes its snapshot with the last row, before the upload is completed', async () => {
    const { run, source, artifacts } = await exportBundle()
    const open: number[] = []
    const put: typeof artifacts.put = (key, chunks, options) => {
      async function* seen() {
        yield* chunks
        open.push(source.openSnapshots)
      }
      return artifacts.put(key, seen(), options)
    }
    await run({ artifacts: { ...artifacts, put } })
    expect(open).toEqual([0])
  })

  it('stops reporting when it is over', async () => {
    const bundle = await exportBundle()
    let reports = 0
    const progress: typeof bundle.records.progress = (...args) => {
      reports++
      return bundle.records.progress(...args)
    }
    await bundle.run({ records: { ...bundle.records, progress } })
    const before = reports
    await new Promise((resolve) => setTimeout(resolve, 25))
    expect(reports).toBe(before)
  })
})

describe('an attempt that fails', () => {
  it('is the last when the error is permanent', async () => {
    const source = createListSource(fourRows, { failAt: { row: 2, error: permanent } })
    const { run, record, artifacts } = await exportBundle(source)
    expect(await run()).toEqual({ outcome: 'failed', error: permanent, attempt: 1 })
    expect(await record()).toMatchObject({
      state: 'failed',
      error: {
        code: 'ENCODE_UNSUPPORTED_VALUE',
        message: 'The service "S3" cannot be exported.',
        hint: 'Correct it.',
        retryable: false,
      },
    })
    expect(artifacts.objects.size).toBe(0)
    expect(source.openSnapshots).toBe(0)
  })

  it('is followed by another when the error may pass', async () => {
    const source = createListSource(fourRows, { failAt: { row: 0, error: lost } })
    const { run, record, artifacts } = await exportBundle(source)
    expect(await run()).toEqual({ outcome: 'again', error: lost, attempt: 1 })
    expect(await record()).toMatchObject({
      state: 'queued',
      failures: 1,
      error: { code: 'SOURCE_UNAVAILABLE' },
    })
    expect(artifacts.objects.size).toBe(0)
    expect(await run({ source: createListSource(fourRows) })).toMatchObject({
      outcome: 'completed',
    })
    expect(await record()).toMatchObject({ state: 'completed', attempt: 2 })
  })

  it('counts only when it came no further than those before', async () => {
    const failingAt = (row: number) => createListSource(fourRows, { failAt: { row, error: lost } })
    const { run, record } = await exportBundle()
    const failures: number[] = []
    for (const row of [2, 2, 3, 1]) {
      await run({ source: failingAt(row) })
      failures.push((await record()).failures)
    }
    expect(failures).toEqual([0, 1, 1, 2])
  })

  it('is the last when so many came no further', async () => {
    const source = createListSource(fourRows, { failAt: { row: 0, error: lost } })
    const { run, record } = await exportBundle(source)
    const outcomes = [await run(), await run(), await run()].map(({ outcome }) => outcome)
    expect(outcomes).toEqual(['again', 'again', 'failed'])
    expect(await record()).toMatchObject({ state: 'failed', attempt: 3, failures: 3 })
    expect((await record()).error!.message).toBe(
      `${lost.message} Given up after 3 failures without progress.`,
    )
  })

  it('is the last when the source had so many conflicts, each further on', async () => {
    const hint = 'Read from the primary.'
    const conflict = new SourceError('SOURCE_CONFLICT', 'a conflict with recovery', { hint })
    const { run, record } = await exportBundle()
    const outcomes: string[] = []
    for (const row of [1, 2, 3]) {
      const source = createListSource(fourRows, { failAt: { row, error: conflict } })
      outcomes.push((await run({ source })).outcome)
    }
    expect(outcomes).toEqual(['again', 'again', 'failed'])
    const message = 'a conflict with recovery Given up after 3 failures.'
    expect((await record()).error).toMatchObject({ code: 'SOURCE_CONFLICT', message, hint })
  })

  it('is not begun when as many attempts were lost as may fail', async () => {
    const { run, record, records, id } = await exportBundle()
    // workers that die at once, such as by lack of memory, never report an error
    for (let attempt = 1; attempt <= 3; attempt++) {
      await until(() => records.claim(id, { leaseMs: 1 }))
    }
    await until(async () => (await record()).leaseUntil! < new Date())
    expect(await run()).toMatchObject({ outcome: 'failed' })
    expect(await record()).toMatchObject({ state: 'failed', failures: 3 })
  })

  it('is begun after any number of interruptions', async () => {
    const { run, records, id, settings } = await exportBundle()
    for (let n = 0; n < 3 * settings.maxAttempts; n++) {
      await records.release((await records.claim(id, live))!)
    }
    expect(await run()).toMatchObject({ outcome: 'completed' })
  })

  it('is not begun after as many attempts as are allowed, however far they came', async () => {
    const { run, record, records, id, settings } = await exportBundle()
    for (let attempt = 1; attempt <= settings.maxAttempts; attempt++) {
      const claim = await until(() => records.claim(id, { leaseMs: -1 }))
      await records.progress(claim, { rows: attempt, bytes: attempt, leaseMs: -1 })
    }
    expect(await run()).toMatchObject({ outcome: 'failed' })
    expect(await record()).toMatchObject({ state: 'failed', error: { code: 'EXPORT_ABANDONED' } })
  })

  it('has its whole time, however far the clock of its worker is ahead of the record', async () => {
    const { run, settings } = await exportBundle()
    const ahead = { now: () => new Date(Date.now() + 2 * settings.maxMs) }
    expect(await run({ clock: ahead })).toMatchObject({ outcome: 'completed' })
  })

  it('shows nothing of an error that is a bug', async () => {
    const error = new TypeError('secret of the house')
    const source = createListSource(fourRows, { failAt: { row: 1, error } })
    const { run, record } = await exportBundle(source)
    expect(await run()).toEqual({ outcome: 'again', error, attempt: 1 })
    const facts = (await record()).error
    expect(facts).toMatchObject({ code: 'INTERNAL', retryable: true })
    expect(JSON.stringify(facts)).not.toContain('secret')
  })

  it('fails in the same way when no snapshot can be opened', async () => {
    const { run, record } = await exportBundle()
    const outcome = await run({ source: { open: () => Promise.reject(lost) } })
    expect(outcome).toEqual({ outcome: 'again', error: lost, attempt: 1 })
    expect(await record()).toMatchObject({ state: 'queued', failures: 1 })
  })
})
