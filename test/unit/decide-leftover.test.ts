import { describe, expect, it } from 'vitest'
import type { ExportRecord } from '../../src/export/model.ts'
import { archiveProbesFolder, objectKey, probesFolder } from '../../src/export/object-key.ts'
import type { StoredEntry } from '../../src/export/ports.ts'
import { decideLeftover } from '../../src/retention/decide-leftover.ts'
import { newArtifact, newRecord } from '../support/new-export.ts'

const keyPrefix = 'p/'
const before = new Date('2026-01-02T04:00:00.000Z')
const old = new Date(before.getTime() - 1)
const { id, spec } = newRecord()
const keyOf = (attempt: number) => objectKey(keyPrefix, { id, attempt, spec })
const entry = (attempt: number, overrides: Partial<StoredEntry> = {}): StoredEntry => ({
  kind: 'object',
  key: keyOf(attempt),
  at: old,
  ...overrides,
})
/** In its third attempt, which won if one did. */
const record = (state: ExportRecord['state']) =>
  newRecord({
    id,
    spec,
    state,
    attempt: 3,
    ...(state === 'completed' || state === 'expired'
      ? { artifact: newArtifact({ key: keyOf(3) }) }
      : {}),
  })
const decide = (found: StoredEntry, known: ExportRecord | undefined) => {
  const { remove, reason } = decideLeftover(found, known, { keyPrefix, before })
  return `${remove ? 'remove' : 'keep'}: ${reason}`
}

describe('what a sweep does with an object', () => {
  it.each([
    ['queued', 3, 'remove: lost'],
    ['running', 3, 'keep: running'],
    ['running', 2, 'remove: lost'],
    ['completed', 3, 'keep: artifact'],
    ['completed', 2, 'remove: lost'],
    ['failed', 3, 'remove: lost'],
    ['canceled', 3, 'remove: lost'],
    ['expired', 3, 'remove: expired'],
    ['expired', 1, 'remove: lost'],
  ] as const)('of an export that is %s, of attempt %i of 3: %s', (state, attempt, expected) => {
    expect(decide(entry(attempt), record(state))).toBe(expected)
  })

  it('waits until it is old enough', () => {
    expect(decide(entry(2, { at: before }), record('running'))).toBe('keep: young')
    expect(decide(entry(2, { at: old }), record('running'))).toBe('remove: lost')
  })
})

const folders = [probesFolder, archiveProbesFolder].map((folderOf) => folderOf(keyPrefix))
describe.each(folders)('what a doctor put below %s', (folder) => {
  const probe = (ageMs: number, kind: StoredEntry['kind'] = 'object') =>
    decide({ kind, key: `${folder}x`, at: new Date(before.getTime() - ageMs) }, undefined)

  it('is removed by a sweep, an hour after that might remove anything', () => {
    expect(probe(0)).toBe('keep: young')
    expect(probe(3_600_000)).toBe('keep: young')
    expect(probe(3_600_001)).toBe('remove: probe')
    expect(probe(3_600_001, 'upload')).toBe('remove: probe')
  })
})

describe('what a sweep does with an open upload', () => {
  it.each([
    ['running', 3, 'keep: running'],
    ['running', 2, 'remove: lost'],
    ['canceled', 3, 'remove: lost'],
  ] as const)('of an export that is %s, of attempt %i of 3: %s', (state, attempt, expected) => {
    expect(decide(entry(attempt, { kind: 'upload' }), record(state))).toBe(expected)
  })

  it('aborts one that was begun twice under the key of an artifact', () => {
    const twice = entry(3, { kind: 'upload' })
    expect(decide(twice, record('completed'))).toMatch(/^remove/)
    expect(decide({ ...twice, at: before }, record('completed'))).toBe('keep: young')
  })
})

describe('what a sweep does not know', () => {
  it.each([
    ['an export of another control database', entry(1), undefined],
    ['an attempt newer than the record', entry(4), record('completed')],
    ['a key of another shape', entry(1, { key: `p/exports/${id}/1/by/hand` }), record('failed')],
    ['a key outside of the prefix', entry(1, { key: `q/exports/${id}/1/a` }), record('failed')],
    ['an archive', entry(1, { key: 'p/archive/services/dt=2014-07-22/a.gz' }), record('failed')],
    ['the record of another export', entry(1), newRecord({ state: 'failed', attempt: 3 })],
  ])('stays: %s', (_title, found, known) => {
    expect(decide(found, known)).toBe('keep: unknown')
  })
})
