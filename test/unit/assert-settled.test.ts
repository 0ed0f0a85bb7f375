import { describe, expect, it } from 'vitest'
import { assertSettled, hasReplayed } from '../../src/export/assert-settled.ts'

const settledAt = '2026-03-30T00:00:00.000Z'
const archive = { name: 'services', date: '2026-03-29', generation: 1, settledAt }
const standby = (replayedAt: string | undefined) => ({
  standby: { replayedAt: replayedAt === undefined ? undefined : new Date(replayedAt) },
})

describe('a source of an archived window', () => {
  it.each([
    ['a primary', { standby: undefined }],
    ['a standby that has replayed so far', standby(settledAt)],
    ['a standby that has replayed more', standby('2026-04-01T00:00:00.000Z')],
  ])('may be %s', (_what, source) => {
    expect(hasReplayed(source.standby, new Date(settledAt))).toBe(true)
    expect(() => assertSettled({ archive }, source)).not.toThrow()
  })

  it.each([
    ['that is behind', '2026-03-29T23:59:59.999Z', /has replayed up to 2026-03-29T23:59:59\.999Z/],
    ['that says nothing', undefined, /does not say what it has replayed/],
  ])('is no standby %s', (_what, replayedAt, message) => {
    const source = standby(replayedAt)
    expect(hasReplayed(source.standby, new Date(settledAt))).toBe(false)
    expect(() => assertSettled({ archive }, source)).toThrow(message)
    expect(() => assertSettled({ archive }, source)).toThrow(
      expect.objectContaining({ code: 'SOURCE_BEHIND', retryable: true }) as Error,
    )
  })

  it('of an export that is in no archive, or of an older version, may be any', () => {
    const older = { name: 'services', date: '2026-03-29', generation: 1 }
    for (const record of [{}, { archive: older }]) {
      expect(() => assertSettled(record, standby(undefined))).not.toThrow()
    }
  })
})
