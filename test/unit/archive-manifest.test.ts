import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  describeWindow,
  manifestKey,
  openManifest,
  sealManifest,
} from '../../src/archive/manifest.ts'
import { retryAfterMs } from '../../src/archive/plan-windows.ts'
import { newArtifact, newRecord, newSpec, rangeOf } from '../support/new-export.ts'
import { newWindow } from '../support/new-window.ts'

const range = rangeOf('2026-03-28T23:00:00.000Z', '2026-03-29T22:00:00.000Z')
const calendar = { unit: 'day', timeZone: 'Europe/Berlin' } as const
const window = newWindow({
  ...{ name: '2026-03-29', date: '2026-03-29', generation: 2 },
  ...{ from: new Date(range.from), to: new Date(range.to) },
})
const spec = newSpec({ range, filterEvents: 'completed', exportContent: true, format: 'ndjson' })
const at = new Date('2026-03-30T02:00:00Z')
const times = { snapshotAt: at, finishedAt: at }
const record = newRecord({
  spec,
  state: 'completed',
  attempt: 3,
  artifact: newArtifact(),
  ...times,
})

describe('a manifest', () => {
  it('ends with the digest of what it says before', () => {
    const text = sealManifest(describeWindow(window, calendar, record))
    const [, before, digest] = /^(.*),"sha256":"([0-9a-f]{64})"\}\n$/s.exec(text)!
    expect(digest).toBe(createHash('sha256').update(`${before!}}`).digest('hex'))
    expect(JSON.parse(text)).toMatchObject({
      ...{ archive: 'services', window: '2026-03-29', generation: 2, time_zone: 'Europe/Berlin' },
      ...{ time_from: range.from, time_to: range.to, filter_events: 'completed', attempt: 3 },
      schema_version: 1,
      artifact: { rows: 3, bytes: 20, sha256: 'a'.repeat(64), raw_bytes: 20 },
    })
  })

  it('is the same for the same export, whoever writes it', () => {
    const seal = () => sealManifest(describeWindow(window, calendar, record))
    expect(seal()).toBe(seal())
  })

  it('is opened again, unless a byte of it was changed', () => {
    const text = sealManifest(describeWindow(window, calendar, record))
    expect(openManifest('k', text)).toMatchObject({ artifact: { rows: 3, bytes: 20 } })
    const altered = [
      text.replace('"rows":3', '"rows":4'),
      text.replace('"generation":2', '"generation":3'),
      text.trimEnd(),
      text.replace(/,"sha256":"[0-9a-f]{64}"\}\n$/, '}\n'),
      '',
    ]
    for (const each of altered) {
      expect(() => openManifest('k', each)).toThrow('The manifest k is not as it was written')
    }
  })

  it('of a newer version is refused, rather than misread', () => {
    const manifest = { ...describeWindow(window, calendar, record), manifest_version: 2 }
    const text = sealManifest(manifest)
    expect(() => openManifest('k', text)).toThrow('manifest_version')
  })

  it('has a key apart from the partitions', () => {
    expect(manifestKey('team/', window)).toBe(
      'team/archive/services/_manifests/20260328T230000Z_20260329T220000Z_g2.json',
    )
  })

  it('is not made for an export without an artifact', () => {
    const running = newRecord({ spec, state: 'running' })
    expect(() => describeWindow(window, calendar, running)).toThrow('has no artifact')
  })
})

it('a window that failed is planned again after an hour, two, four, and at most a day', () => {
  const hours = [1, 2, 3, 4, 5, 6, 50].map((tries) => retryAfterMs(tries) / 3_600_000)
  expect(hours).toEqual([1, 2, 4, 8, 16, 24, 24])
})
