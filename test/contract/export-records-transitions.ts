import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import { exportStates, type ExportRecord, type ExportState } from '../../src/export/model.ts'
import type { ExportRecords } from '../../src/export/ports.ts'
import { transitions } from '../../src/export/state.ts'
import { newArtifact, newExport } from '../support/new-export.ts'

const at = new Date('2026-01-02T04:00:00.000Z')
const expiresAt = new Date('2026-01-09T04:00:00.000Z')
const snapshotAt = new Date('2026-01-02T03:00:00.000Z')
const times = { finishedAt: at, expiresAt, snapshotAt }
const error = { code: 'SOURCE_TIMEOUT', message: 'too slow', hint: 'Wait.', retryable: true }
const failure = { error, failures: 1, rows: 4, at }
const live = { leaseMs: 60_000 }

type Write = (records: ExportRecords, record: ExportRecord) => Promise<unknown>

/** Every change, with the states that allow it; a claim of a running export needs a dead lease. */
const writes: readonly (readonly [string, readonly ExportState[], Write])[] = [
  ['claim', ['queued'], (records, { id }) => records.claim(id, live)],
  ['progress', ['running'], (records, r) => records.progress(r, { rows: 1, bytes: 1, ...live })],
  [
    'complete',
    transitions.complete.from,
    (records, record) => records.complete(record, newArtifact(), times),
  ],
  [
    'fail for good',
    transitions.fail.from,
    (records, record) => records.fail(record, { ...failure, again: false }),
  ],
  [
    'fail, to try again',
    transitions.requeue.from,
    (records, record) => records.fail(record, { ...failure, again: true }),
  ],
  ['release', transitions.requeue.from, (records, record) => records.release(record)],
  ['cancel', transitions.cancel.from, (records, { id }) => records.cancel(id, at)],
  ['expire', transitions.expire.from, (records, { id }) => records.expire(id, at)],
]

const cases = writes.flatMap(([name, from, write]) =>
  exportStates.map(
    (state) => [name, state, from.includes(state) ? 'allowed' : 'refused', write] as const,
  ),
)

/** What may follow what, and what each change leaves on the record. */
export function describeTransitions(records: () => ExportRecords): void {
  const inState = (state: ExportState) => exportInState(records(), state)

  it.each(cases)('%s of an export that is %s: %s', async (_name, state, expected, write) => {
    const before = await inState(state)
    const outcome = await write(records(), before)
    const refused = outcome === undefined || outcome === false
    expect(refused ? 'refused' : 'allowed').toBe(expected)
    if (refused) expect(await records().get(before.id)).toEqual(before)
  })

  it('shows the bytes of JSON as progress where the artifact is packed', async () => {
    const { id } = await inState('running')
    const artifact = newArtifact({ bytes: 10, rawBytes: 2 ** 45, rawSha256: 'b'.repeat(64) })
    await records().complete({ id, attempt: 1 }, artifact, times)
    const record = await records().get(id)
    expect(record).toMatchObject({ artifact, progress: { bytes: 2 ** 45 } })
  })

  it('shows the artifact once completed, without the error of an earlier attempt', async () => {
    const { id } = await inState('running')
    const claim = { id, attempt: 1 }
    await records().fail(claim, { ...failure, again: true })
    const second = (await records().claim(id, live))!
    const artifact = newArtifact({ rows: 2 ** 33, bytes: 2 ** 45 })
    await records().complete(second, artifact, times)
    const record = await records().get(id)
    expect(record).toMatchObject({ state: 'completed', artifact, ...times })
    expect(record.progress).toEqual({ rows: 2 ** 33, bytes: 2 ** 45 })
    expect(record).not.toHaveProperty('error')
    expect(record).not.toHaveProperty('leaseUntil')
  })

  it('keeps what a standby had replayed, where one was read', async () => {
    const { id } = await inState('running')
    const replayedAt = new Date('2026-01-02T02:59:00.000Z')
    await records().complete({ id, attempt: 1 }, newArtifact(), { ...times, replayedAt })
    expect(await records().get(id)).toMatchObject({ state: 'completed', replayedAt, snapshotAt })
  })

  it('shows why an export failed, and when', async () => {
    const { id } = await inState('running')
    await records().fail({ id, attempt: 1 }, { ...failure, again: false })
    const record = await records().get(id)
    expect(record).toMatchObject({ state: 'failed', error, finishedAt: at, failures: 1 })
    expect(record).not.toHaveProperty('leaseUntil')
  })

  it('is queued again after an error that may pass, with the error, unfinished', async () => {
    const { id } = await inState('running')
    await records().fail({ id, attempt: 1 }, { ...failure, failures: 3, again: true })
    const record = await records().get(id)
    expect(record).toMatchObject({ state: 'queued', error, failures: 3, highestRows: 4 })
    expect(record).not.toHaveProperty('finishedAt')
    expect(await records().claim(id, live)).toMatchObject({ attempt: 2, failures: 3 })
  })

  it('is given back without a failure, with its rows remembered', async () => {
    const { id } = await inState('running')
    await records().progress({ id, attempt: 1 }, { rows: 6, bytes: 60, ...live })
    await records().release({ id, attempt: 1 })
    const record = await records().get(id)
    expect(record).toMatchObject({ state: 'queued', failures: 0, highestRows: 6 })
    expect(record).not.toHaveProperty('leaseUntil')
    expect(await records().claim(id, live)).toMatchObject({ attempt: 2, failures: 0 })
  })

  it('ends the lease of a canceled export, and says when it was canceled', async () => {
    const { id } = await inState('running')
    const canceled = await records().cancel(id, at)
    expect(canceled).toMatchObject({ state: 'canceled', finishedAt: at })
    expect(canceled).not.toHaveProperty('leaseUntil')
    expect(await records().get(id)).toEqual(canceled)
  })

  it('keeps the facts of an expired artifact', async () => {
    const before = await inState('completed')
    const expired = await records().expire(before.id, at)
    expect(expired).toEqual({ ...before, state: 'expired', expiresAt: at })
  })

  it('follows an artifact that was moved, once, and nothing besides', async () => {
    const before = await inState('completed')
    const artifact = before.artifact!
    const to = { key: 'archive/elsewhere.json', etag: '"moved"' }
    expect(await records().relocate(before.id, 'exports/another.json', to)).toBe(false)
    expect(await records().get(before.id)).toEqual(before)
    expect(await records().relocate(before.id, artifact.key, { ...to, bytes: 1 } as never)).toBe(
      true,
    )
    expect(await records().get(before.id)).toEqual({ ...before, artifact: { ...artifact, ...to } })
    expect(await records().relocate(before.id, artifact.key, to)).toBe(false)
    expect(await records().relocate(randomUUID(), artifact.key, to)).toBe(false)
    const expired = await inState('expired')
    expect(await records().relocate(expired.id, expired.artifact!.key, to)).toBe(false)
  })

  it('does not move the due date of an artifact that expires late', async () => {
    const { id } = await inState('completed')
    const late = new Date(expiresAt.getTime() + 1000)
    expect(await records().expire(id, late)).toMatchObject({ expiresAt })
  })

  it('keeps where an archived one belongs, and lets it never be due', async () => {
    const archive = { name: 'services', date: '2026-03-29', generation: 2 }
    const { record } = await records().create(newExport({ archive }))
    expect(record).toMatchObject({ archive })
    const claim = (await records().claim(record.id, live))!
    expect(claim).toMatchObject({ archive })
    await records().complete(claim, newArtifact(), { ...times, expiresAt: undefined })
    const completed = await records().get(record.id)
    expect(completed).toMatchObject({ archive, state: 'completed', finishedAt: at })
    expect(completed).not.toHaveProperty('expiresAt')
    const other = await inState('completed')
    const due = (await records().listDue({ limit: 1000 })).map(({ id }) => id)
    expect(due).toContain(other.id)
    expect(due).not.toContain(record.id)
  })
}

/** An export that was led into a state, in its first attempt. */
export async function exportInState(
  records: ExportRecords,
  state: ExportState,
): Promise<ExportRecord> {
  const { record } = await records.create(newExport())
  const { id } = record
  if (state === 'canceled') await records.cancel(id, at)
  if (state === 'queued' || state === 'canceled') return records.get(id)
  const claim = (await records.claim(id, live))!
  if (state === 'failed') await records.fail(claim, { ...failure, again: false })
  if (state === 'completed' || state === 'expired') {
    await records.complete(claim, newArtifact(), times)
  }
  if (state === 'expired') await records.expire(id, at)
  return records.get(id)
}
